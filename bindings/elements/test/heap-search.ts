/** Looks for texts in JavaScript's memory: a snapshot of everything that something still refers to. */

import type { Page } from "playwright-core";

/** Which of the texts are in the page's memory. */
export async function findInHeap(page: Page, texts: readonly string[]): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  let snapshot = "";
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => (snapshot += chunk));
  // Twice: the first may only clear what refers weakly.
  for (let times = 0; times < 2; times++) await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  await session.detach();
  return texts.filter((text) => snapshot.includes(text));
}
