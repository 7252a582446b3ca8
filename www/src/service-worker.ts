/**
 * Serves the page when there is no network: the files of one build, and nothing else. Whatever is not one of them, such
 * as the bytes of a vault, goes to the network as if this worker were not there.
 */

/** A file of the build by its path from here, and its digest as the browser checks it. */
export type Precached = readonly [path: string, integrity: string];

// vite-offline.ts writes these before the script.
declare const PRECACHED: readonly Precached[];
declare const VERSION: string;

const worker = globalThis as unknown as WorkerScope;
const folder = new URL("./", worker.location.href).href;
/** The page: servers know it by its folder, and may redirect from its name. */
const PAGE = folder;
const PREFIX = `connector-vault ${folder} `;
const CACHE = PREFIX + VERSION;

const urlOf = (path: string) => (path === "index.html" ? PAGE : new URL(path, folder).href);
const OURS = new Set(PRECACHED.map(([path]) => urlOf(path)));

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(activate()));
worker.addEventListener("message", ({ data }) => {
  // The user wants the new version now, though tabs with the old one are open.
  if (data === "take over") void worker.skipWaiting();
});
worker.addEventListener("fetch", (event) => {
  const url = fileOf(event.request);
  if (url !== undefined) event.respondWith(answer(url, event.request));
});

/** All files or none. The digests keep out a build that is half deployed, and what a proxy has changed. */
async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  // Files that carry their digest in their name never change: they may come from the browser's cache.
  await cache.addAll(
    PRECACHED.map(
      ([path, integrity]) =>
        new Request(urlOf(path), { integrity, cache: path.startsWith("assets/") ? "default" : "no-cache" }),
    ),
  );
}

async function activate(): Promise<void> {
  await worker.clients.claim();
  // Tabs that still run the old version may want more of its files.
  if ((await worker.clients.matchAll()).length > 1) return;
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** The address under which a request's answer is kept; nothing if it is none of ours. */
function fileOf({ method, mode, url }: Request): string | undefined {
  if (method !== "GET") return undefined;
  const { origin, pathname } = new URL(url);
  const address = origin + pathname;
  if (mode === "navigate" && (address === PAGE || address === `${PAGE}index.html`)) return PAGE;
  return OURS.has(address) || address.startsWith(`${folder}assets/`) ? address : undefined;
}

async function answer(url: string, request: Request): Promise<Response> {
  const kept = await (await caches.open(CACHE)).match(url);
  // Of the version before, for a tab that still runs it.
  return kept ?? (await caches.match(url)) ?? (await fetch(request));
}

/** What the DOM's declarations lack of service workers. */
interface WorkerScope {
  readonly location: Location;
  readonly clients: { claim(): Promise<void>; matchAll(): Promise<readonly unknown[]> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: LastingEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}
interface LastingEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends LastingEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
