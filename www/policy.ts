/** What the page may do, and which headers a server should send with it. */

/**
 * The origins of a build option, separated by spaces or commas. Fails if one is more or less than an origin: the page
 * compares them as they are.
 */
export function originsOf(option: string): string[] {
  const origins = option.split(/[\s,]+/).filter((one) => one !== "");
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin || origin.includes("*")) {
      throw new Error(`CONNECTOR_VAULT_ORIGINS: ${origin} is no origin such as https://files.example`);
    }
  }
  return origins;
}

/**
 * The Content Security Policy of a page that may also open vaults of these origins. Trusted Types keep text from
 * becoming script: `lit-html` is the name of Lit's templates there, `connector-vault` that of src/core.ts.
 */
export function policyFor(origins: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    ["connect-src 'self'", ...origins].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html connector-vault",
  ].join("; ");
}

/** For servers. `frame-ancestors` works in a header alone. */
export function headersFor(policy: string): Record<string, string> {
  return {
    "content-security-policy": `${policy}; frame-ancestors 'none'`,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}
