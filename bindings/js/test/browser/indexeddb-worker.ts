/** Runs a case of the contract in a worker, on message. */

import { IndexedDbStorage } from "../../src/storage/indexeddb.js";
import { contract } from "../storage/contract.js";

addEventListener("message", ({ data: name }: MessageEvent<string>) => {
  const run = contract.find((one) => one.name === name)?.run;
  const place = { open: () => new IndexedDbStorage(`worker case: ${name}`) };
  const done = run === undefined ? Promise.reject(new Error("there is no such case")) : run(place);
  done.then(
    () => postMessage(undefined),
    (error: unknown) => postMessage(String(error)),
  );
});
