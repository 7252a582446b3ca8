/** What is measured in the same way in Node and in a page: each suite gives tables of times. */

import { connectors } from "./dataset.mjs";
import { unlock } from "./kdf.mjs";
import { sideBySide, timed, timedNow } from "./measure.mjs";
import {
  argon2id,
  createVault,
  inMemory,
  inSink,
  json,
  keepass,
  newIdentity,
  ofModule,
  ofPackage,
  shipped,
} from "./stores.mjs";

/** How many updates a turn takes, and after how many milliseconds it has taken enough. */
const [UPDATES_IN_A_ROW, LONG] = [8, 100];
/** How many overviews a page asks for at a time. */
export const RANGE = 500;

/**
 * @typedef {object} Host  Where it runs.
 * @property {(file: string) => Promise<Uint8Array>} bytes  A file of a package, by its specifier.
 * @property {Record<string, (file: Uint8Array) => Promise<object>>} durable  Makes a new durable storage, by its name.
 * @property {() => Promise<{ name: string, glue: object }[]>} builds  Other builds of the module.
 *
 * @typedef {{ sizes: number[], rounds: number }} Options
 * @typedef {{ title: string, count?: number, cases: import("./measure.mjs").Measured[] }} Table
 * @type {Record<string, (host: Host, options: Options) => Promise<Table[]>>}
 */
export const suites = {
  unlock: async (host, { rounds }) => [
    { title: "Argon2id, 64 MiB, 3 passes, 1 lane", cases: await unlock(host, rounds) },
  ],
  open: (host, { sizes, rounds }) => each(sizes, (count) => open(host, count, rounds)),
  list: (host, { sizes, rounds }) => each(sizes, (count) => list(count, rounds)),
  update: async (_, { sizes, rounds }) => (await each(sizes, (count) => update(count, rounds))).flat(),
  growth: (host, { sizes, rounds }) => growth(host, sizes, rounds),
  builds: async (host, { sizes, rounds }) =>
    (await each(sizes.slice(-1), (count) => builds(host, count, rounds))).flat(),
};

async function open(host, count, rounds) {
  const identity = await newIdentity();
  const module = ofModule(await shipped(host), identity);
  const file = await module.create(connectors(count));
  const cases = [
    opening(module, file, count),
    // A vault keeps its connectors sealed until somebody asks; those of the others are open by now.
    opening(module, file, count, ", all listed", (opened) => opened.list()),
    opening(module, file, count, ", all values read", (opened) => opened.readAll()),
    opening(ofPackage(identity), file, count, ", Vault.open in a worker"),
  ];
  for (const store of [keepass, json]) {
    cases.push(opening(store, await store.create(connectors(count)), count));
  }
  return { title: `Open, ${count} connectors`, count, cases: await sideBySide(rounds, cases) };
}

function opening(store, bytes, count, and = "", use = () => undefined) {
  const name = store.name + and;
  const run = async () => {
    const [time, opened] = await timed(async () => {
      const opened = await store.open(bytes);
      use(opened);
      return opened;
    });
    if (opened.size !== count) throw new Error(`${name}: connectors are missing`);
    // No part of the time.
    opened.close();
    return time;
  };
  return { name, run };
}

async function list(count, rounds) {
  const store = ofPackage(await newIdentity());
  const vault = await store.open(await store.create(connectors(count)));
  const listing = (name, range, time) => ({
    name,
    run: () => {
      const times = [];
      let from;
      do {
        const [took, part] = timedNow(() => vault.list(from, range));
        times.push(took);
        from = part.next;
      } while (from !== undefined);
      return time(times);
    },
  });
  const cases = await sideBySide(rounds, [
    listing("vault.connectors()", count, sum),
    listing(`${RANGE} at a time`, RANGE, sum),
    listing(`${RANGE} at a time: the longest call`, RANGE, (times) => Math.max(...times)),
  ]);
  vault.close();
  return { title: `List, ${count} connectors`, count, cases };
}

/** In pairs: the second that one takes would leave the caches cold for the others. */
async function update(count, rounds) {
  const given = connectors(count);
  const ours = ofPackage(await newIdentity());
  return await each([keepass, json], async (other) => ({
    title: `Update one property, ${count} connectors`,
    count,
    cases: await updating(rounds, given, [ours, other]),
  }));
}

async function updating(rounds, given, stores) {
  const opened = await each(stores, async (store) => await store.open(await store.create(given)));
  const lasts = [];
  const cases = stores.map(({ name }, index) => ({
    name,
    run: async (round) => {
      let [times, count] = [0, 0];
      while (count < UPDATES_IN_A_ROW && times < LONG) {
        const value = `rotated-${round}-${count}`;
        times += (await timed(() => opened[index].update(target(given, round), value)))[0];
        count++;
        lasts[index] = value;
      }
      return times / count;
    },
  }));
  const measured = await sideBySide(rounds, cases);
  for (const [index, store] of stores.entries()) {
    // An update that is not there after the next open was none.
    const again = await store.open(opened[index].bytes());
    if ((await again.value(target(given, rounds))) !== lasts[index]) {
      throw new Error(`${store.name}: the last update is missing`);
    }
    for (const done of [again, opened[index]]) done.close();
  }
  return measured;
}

/** Spread over the store, and the same connectors for every contender. */
function target(given, round) {
  return given[(round * 7919) % given.length].id;
}

/** The same update in vaults of every size: in memory, durably, and where storing costs nothing. */
async function growth(host, sizes, rounds) {
  const storages = { MemoryStorage: inMemory, ...host.durable, "a storage that costs nothing": inSink };
  return await each(Object.entries(storages), async ([name, store]) => {
    const opened = [];
    const cases = await each(sizes, async (count) => {
      const given = connectors(count);
      const contender = ofPackage(await newIdentity(), store);
      const vault = await contender.open(await contender.create(given));
      opened.push(vault);
      return {
        name: `${count} connectors`,
        run: async (round) => {
          const [time] = await timed(async () => {
            for (let index = 0; index < UPDATES_IN_A_ROW; index++) {
              await vault.update(target(given, round), `rotated-${round}-${index}`);
            }
          });
          return time / UPDATES_IN_A_ROW;
        },
      };
    });
    const measured = await sideBySide(rounds, cases);
    for (const vault of opened) vault.close();
    return { title: `How an update grows with the vault, in ${name}`, cases: measured };
  });
}

/** Builds of the module beside each other. */
async function builds(host, count, rounds) {
  const given = connectors(count);
  const identity = await newIdentity();
  const bytes = await createVault(given, identity);
  const password = new TextEncoder().encode("correct horse battery staple");
  const derive = await argon2id();
  const stores = (await host.builds()).map(({ name, glue }) => ({ ...ofModule(glue, identity, name), glue }));
  const compare = async (what, run) => ({
    title: `Builds: ${what}`,
    cases: await sideBySide(
      rounds,
      stores.map((store) => ({ name: store.name, run: (round) => run(store, round) })),
    ),
  });
  const once = async (store, work) => {
    const opened = await store.open(bytes);
    const [time] = await timed(() => work(opened));
    opened.close();
    return time;
  };
  return [
    await compare("Argon2id", ({ glue }) => {
      return timedNow(() => glue.stretch(password, glue.defaultCost(), derive))[0];
    }),
    await compare(`open, ${count} connectors`, (store) => opening(store, bytes, count).run()),
    await compare(`list, ${count} connectors`, (store) => once(store, (opened) => opened.list())),
    await compare(`all values, ${count} connectors`, (store) => once(store, (opened) => opened.readAll())),
    await compare(`100 updates, ${count} connectors`, (store, round) =>
      once(store, (opened) => {
        for (let i = 0; i < 100; i++) opened.update(target(given, round * 100 + i), `rotated-${i}`);
      }),
    ),
  ];
}

async function each(values, work) {
  const done = [];
  for (const value of values) done.push(await work(value));
  return done;
}

function sum(times) {
  return times.reduce((total, time) => total + time, 0);
}
