/** The connectors that every contender keeps: those of benches/src/dataset.rs, about 435 bytes of JSON each. */

const SERVICES = ["twitter", "salesforce", "slack", "sharepoint"];

/** The properties that are credentials; the others need no protection in memory. */
export const SECRETS = ["APIKey", "AccessToken", "RefreshToken"];

/** The first `count` connectors. */
export function connectors(count) {
  const text = random();
  return Array.from({ length: count }, (_, index) => {
    const service = SERVICES[index % SERVICES.length];
    return {
      id: `${service}-${String(index).padStart(6, "0")}`,
      name: `${service} of team ${index % 97}`,
      type: service,
      properties: {
        Endpoint: `https://${service}.example/v2`,
        APIKey: text(24),
        AccessToken: text(32),
        RefreshToken: text(16),
        Timeout: "30s",
        Retries: String(index % 10),
      },
    };
  });
}

/** The connectors as a program that keeps one typed JSON document would write them. */
export function documentOf(connectors) {
  return connectors.map(({ properties, ...connector }) => ({
    ...connector,
    version: 1,
    updated_at: "2026-11-23T20:15:00.000Z",
    properties: Object.entries(properties).map(([name, value]) => ({ name, value })),
  }));
}

/** SplitMix64: enough to keep compression honest, and the same everywhere. */
function random() {
  const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  let state = 0n;
  const next = () => {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  return (length) => Array.from({ length }, () => letters[Number(next() % 64n)]).join("");
}
