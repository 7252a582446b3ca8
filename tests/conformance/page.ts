/** The suite as a page's script: the page's server has the files, and a test in Node asks for the runs. */

import { spoil, type Strictness } from "./strictness.js";
import { conform, type Conformance, type Files } from "./suite.js";

declare global {
  /** What a test may ask this page for. */
  var suite: {
    conform(): Promise<Conformance>;
    spoil(): Promise<Strictness>;
  };
}

globalThis.suite = {
  conform: async () => conform(await files()),
  spoil: async () => spoil(await files()),
};

async function files(): Promise<Files> {
  return (await (await fetch("/vectors.json")).json()) as Files;
}
