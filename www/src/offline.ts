/** Keeps the page for when there is no network, and tells when a newer one is ready. */

import { scriptUrl } from "./core.js";

/** How often at most a page that stays open asks for a newer one, in milliseconds. */
const ASK_MS = 3_600_000;

/** Registers the service worker, once the page is at rest: nobody waits for it. */
export function keepOffline(): void {
  // `vite dev` builds none.
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // Without storage, say in a private window, the page works as long as there is a network.
  whenAtRest(() => void register().catch(() => undefined));
}

async function register(): Promise<void> {
  const { serviceWorker } = navigator;
  // At the first visit a worker takes over a page that is as new as itself.
  let isControlled = serviceWorker.controller !== null;
  let isWanted = false;
  const offer = async (waiting: ServiceWorker | null) => {
    const { offerNewVersion } = await import("./offline/new-version.js");
    offerNewVersion(() => {
      isWanted = true;
      if (waiting?.state === "installed") waiting.postMessage("take over");
      else location.reload();
    });
  };
  serviceWorker.addEventListener("controllerchange", () => {
    // Never by itself: a vault may be open. Another tab may have wanted it.
    if (isWanted) location.reload();
    else if (isControlled) void offer(null);
    isControlled = true;
  });

  const registration = await serviceWorker.register(scriptUrl("./service-worker.js"));
  if (registration.waiting !== null && isControlled) void offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const { installing } = registration;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed" && isControlled) void offer(installing);
    });
  });

  let asked = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible" || Date.now() - asked < ASK_MS) return;
    asked = Date.now();
    registration.update().catch(() => undefined);
  });
}

function whenAtRest(work: () => void): void {
  const wait = () => {
    // Not in every browser.
    if ("requestIdleCallback" in globalThis) requestIdleCallback(work, { timeout: 10_000 });
    else setTimeout(work, 2_000);
  };
  if (document.readyState === "complete") wait();
  else addEventListener("load", wait, { once: true });
}
