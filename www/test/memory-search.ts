/**
 * Looks for secrets in all that a page's memory holds. The needles themselves never get there in clear: what a test hands
 * to a page stays there for a while, and would be found.
 */

import type { CDPSession, Page } from "playwright-core";

/** Each byte of a needle is disguised by this. */
const MASK = 0x55;

/** How many steps are told of the way to what was found. */
const WAY_STEPS = 20;

/** A page's memory. */
export class Memory {
  readonly #session: CDPSession;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  /** Before a page is loaded: memories of its modules, and buffers, are noted to be searched. */
  static async of(page: Page): Promise<Memory> {
    await page.addInitScript(noteMemory);
    return new Memory(await page.context().newCDPSession(page));
  }

  /**
   * Which of the texts are in strings that something still refers to, each with the way to it. Of a string, the first
   * 1024 characters are searched: a snapshot has no more.
   */
  async inHeap(texts: readonly string[]): Promise<string[]> {
    const heap = new Heap(await this.#snapshot());
    const found: string[] = [];
    for (const [node, text] of heap.strings()) {
      for (const wanted of texts) {
        // In a document, quotes and line breaks are escaped.
        if (!text.includes(wanted) && !text.includes(JSON.stringify(wanted).slice(1, -1))) continue;
        found.push(`${wanted} in ${heap.wayTo(node)}`);
      }
    }
    return found;
  }

  /** Which of the texts are in the memory of WebAssembly modules: stacks too, in use or freed. */
  async inWasm(texts: readonly string[]): Promise<string[]> {
    const buffers = "noted.memories.map(({ buffer }) => new Uint8Array(buffer))";
    return await this.#findIn(buffers, texts);
  }

  /** Which of the texts are in other buffers that something still refers to. */
  async inBuffers(texts: readonly string[]): Promise<string[]> {
    await this.#collectGarbage();
    const isOther = "(made) => noted.memories.every(({ buffer }) => buffer !== made)";
    return await this.#findIn(
      `noted.buffers.flatMap((made) => made.deref() ?? []).filter(${isOther})`,
      texts,
    );
  }

  async #findIn(buffers: string, texts: readonly string[]): Promise<string[]> {
    const needles = texts.map((text) => [...Buffer.from(text)].map((byte) => byte ^ MASK));
    const expression = `(${String(findMasked)})(${buffers}, ${JSON.stringify(needles)}, ${MASK})`;
    const { result, exceptionDetails } = await this.#session.send("Runtime.evaluate", {
      expression,
      returnByValue: true,
    });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
    return (result.value as readonly number[]).map((index) => texts[index] ?? "");
  }

  async #snapshot(): Promise<Snapshot> {
    const chunks: string[] = [];
    const collect = ({ chunk }: { readonly chunk: string }) => void chunks.push(chunk);
    this.#session.on("HeapProfiler.addHeapSnapshotChunk", collect);
    await this.#collectGarbage();
    await this.#session.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
    this.#session.off("HeapProfiler.addHeapSnapshotChunk", collect);
    return JSON.parse(chunks.join("")) as Snapshot;
  }

  async #collectGarbage(): Promise<void> {
    // More than once: the first may only clear what refers weakly.
    for (let times = 0; times < 3; times++) await this.#session.send("HeapProfiler.collectGarbage");
  }
}

/** Runs in the page: notes what `Memory` searches. It keeps no buffer that nobody else keeps. */
function noteMemory(): void {
  const memories: WebAssembly.Memory[] = [];
  const buffers: WeakRef<ArrayBufferLike>[] = [];
  Object.assign(globalThis, { noted: { memories, buffers } });

  const keep = (instance: WebAssembly.Instance): void => {
    for (const exported of Object.values(instance.exports)) {
      if (exported instanceof WebAssembly.Memory) memories.push(exported);
    }
  };
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct: (target, args) => {
      const instance = Reflect.construct(target, args) as WebAssembly.Instance;
      keep(instance);
      return instance;
    },
  });
  WebAssembly.instantiate = new Proxy(WebAssembly.instantiate, {
    apply: async (target, self, args) => {
      const made: unknown = await Reflect.apply(target, self, args);
      const { instance } = made as { readonly instance?: WebAssembly.Instance };
      keep(instance ?? (made as WebAssembly.Instance));
      return made;
    },
  });

  // Where bytes come from, of texts above all.
  const note = <T extends Uint8Array | ArrayBuffer>(made: T): T => {
    buffers.push(new WeakRef(made instanceof ArrayBuffer ? made : made.buffer));
    return made;
  };
  const { encode, encodeInto } = TextEncoder.prototype;
  TextEncoder.prototype.encode = function (text) {
    return note(encode.call(this, text));
  };
  TextEncoder.prototype.encodeInto = function (text, target) {
    note(target);
    return encodeInto.call(this, text, target);
  };
  const noting = {
    construct: (target: new () => Uint8Array | ArrayBuffer, args: [], newTarget: () => void) =>
      note(Reflect.construct(target, args, newTarget) as Uint8Array | ArrayBuffer),
  };
  Object.assign(globalThis, {
    Uint8Array: new Proxy(Uint8Array, noting as ProxyHandler<typeof Uint8Array>),
    ArrayBuffer: new Proxy(ArrayBuffer, noting as ProxyHandler<typeof ArrayBuffer>),
  });
}

/** Runs in the page: which of the disguised needles are in these buffers, by their indices. */
function findMasked(
  buffers: readonly (Uint8Array | ArrayBuffer)[],
  needles: readonly (readonly number[])[],
  mask: number,
): number[] {
  const found = new Set<number>();
  for (const buffer of buffers) {
    const bytes = buffer instanceof ArrayBuffer ? new Uint8Array(buffer) : buffer;
    for (const [index, needle] of needles.entries()) {
      const first = (needle[0] ?? 0) ^ mask;
      for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
        if (!needle.every((byte, offset) => bytes[at + offset] === (byte ^ mask))) continue;
        found.add(index);
        break;
      }
    }
  }
  return [...found];
}

/** As `HeapProfiler.takeHeapSnapshot` writes it. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
      readonly edge_fields: readonly string[];
      readonly edge_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  readonly strings: readonly string[];
}

/** A snapshot with the edges of each node. */
class Heap {
  readonly #snapshot: Snapshot;
  readonly #nodeSize: number;
  readonly #edgeSize: number;
  /** Where each node's edges begin. */
  readonly #edgesOf: number[] = [];
  #cameFrom: Map<number, readonly [node: number, edge: string]> | undefined;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
    this.#nodeSize = snapshot.snapshot.meta.node_fields.length;
    this.#edgeSize = snapshot.snapshot.meta.edge_fields.length;
    const count = snapshot.snapshot.meta.node_fields.indexOf("edge_count");
    let edges = 0;
    for (let node = 0; node < snapshot.nodes.length; node += this.#nodeSize) {
      this.#edgesOf.push(edges);
      edges += (snapshot.nodes[node + count] ?? 0) * this.#edgeSize;
    }
    this.#edgesOf.push(edges);
  }

  /** All strings by their nodes, those that were joined of others too. */
  *strings(): Generator<readonly [node: number, text: string]> {
    const { nodes, strings } = this.#snapshot;
    for (let node = 0; node < nodes.length; node += this.#nodeSize) {
      const type = this.#typeOf(node);
      const isJoined = type === "concatenated string";
      if (!isJoined && type !== "string") continue;
      const text = isJoined ? this.#joined(node) : (strings[nodes[node + 1] ?? 0] ?? "");
      yield [node, text];
    }
  }

  /** Who refers to a node, the last of them: `Window .session / ...`. */
  wayTo(node: number): string {
    this.#cameFrom ??= this.#search();
    const way: string[] = [];
    for (let at = node; at !== 0;) {
      const from = this.#cameFrom.get(at);
      if (from === undefined) break;
      // The names of the browser's own classes are long.
      const name = this.#nameOf(from[0]).replace(/blink::|cppgc::/g, "");
      way.unshift(`${name.slice(0, 60)} .${from[1]}`);
      at = from[0];
    }
    return way.slice(-WAY_STEPS).join(" / ");
  }

  #joined(node: number): string {
    let text = "";
    const pending = [node];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (this.#typeOf(at) !== "concatenated string") text += this.#nameOf(at);
      else for (const [, to] of [...this.#edges(at)].reverse()) pending.push(to);
    }
    return text;
  }

  /** From the root on, and the shortest way first. */
  #search(): Map<number, readonly [number, string]> {
    const cameFrom = new Map<number, readonly [number, string]>();
    const queue = [0];
    for (let next = 0; next < queue.length; next++) {
      const node = queue[next] ?? 0;
      for (const [edge, to, type] of this.#edges(node)) {
        if (type === "weak" || cameFrom.has(to)) continue;
        cameFrom.set(to, [node, edge]);
        queue.push(to);
      }
    }
    return cameFrom;
  }

  *#edges(node: number): Generator<readonly [name: string, to: number, type: string]> {
    const { edges, strings, snapshot } = this.#snapshot;
    const index = node / this.#nodeSize;
    const end = this.#edgesOf[index + 1] ?? 0;
    for (let edge = this.#edgesOf[index] ?? 0; edge < end; edge += this.#edgeSize) {
      const type = snapshot.meta.edge_types[0][edges[edge] ?? 0] ?? "";
      const name = edges[edge + 1] ?? 0;
      const isIndex = type === "element" || type === "hidden";
      yield [isIndex ? String(name) : (strings[name] ?? ""), edges[edge + 2] ?? 0, type];
    }
  }

  #typeOf(node: number): string {
    return this.#snapshot.snapshot.meta.node_types[0][this.#snapshot.nodes[node] ?? 0] ?? "";
  }

  #nameOf(node: number): string {
    return this.#snapshot.strings[this.#snapshot.nodes[node + 1] ?? 0] ?? "";
  }
}
