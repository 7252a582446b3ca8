/** A server that keeps bytes at URLs, by the rules of RFC 9110 section 13 or breaking one of them. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";

/** How the server departs from the rules. */
export interface Misbehaviour {
  etag?: "weak" | "none";
  /** It sends no ETag in answers to PUT, which is permitted. */
  etagOnPut?: "none" | "weak";
  ignores?: readonly ("if-match" | "if-none-match")[];
  /** What it answers in place of doing what it is asked, by method. */
  answers?: Readonly<Record<string, { readonly status: number; readonly headers?: Record<string, string> }>>;
  /** It breaks the connection of a PUT before or after it stored the body. */
  loses?: "request" | "answer";
  /** It sends half of a body, then breaks the connection. */
  halves?: boolean;
  /** Of a PUT that it stored it says something else. */
  says?: number;
  /** It does a PUT twice, and answers the second time: as a browser's repetition looks. */
  repeats?: boolean;
}

/** A request as it came. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly length: number;
  /** The status of the answer; 0 if none was sent. */
  status: number;
}

export class ByteServer {
  readonly files = new Map<string, Buffer>();
  readonly seen: Seen[] = [];
  misbehaves: Misbehaviour = {};
  /** Pages of which other origin may use it, and what headers of its answers they may see. */
  permits: { readonly origin: string; readonly headers: string } | undefined;
  /** Is awaited before a request is answered. */
  before: (request: Seen) => Promise<void> | void = () => undefined;
  origin = "";

  /** A server that ends with the test. */
  static async start(t: TestContext, misbehaves: Misbehaviour = {}): Promise<ByteServer> {
    const server = new ByteServer();
    server.misbehaves = misbehaves;
    const http = createServer((request, response) => void server.#serve(request, response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    t.after(() => {
      http.close();
      http.closeAllConnections();
    });
    server.origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    return server;
  }

  /** The requests since the last call, as `PUT 412`. */
  took(): string[] {
    return this.seen.splice(0).map(({ method, status }) => `${method} ${status}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    for (const [name, value] of this.#permissions()) response.setHeader(name, value);
    if (request.method === "OPTIONS") return void response.writeHead(204).end();
    const body = Buffer.concat(chunks);
    const { method = "", url = "", headers } = request;
    const seen = { method, url, headers, length: body.length, status: 0 };
    this.seen.push(seen);
    await this.before(seen);
    const path = url.split("?")[0] ?? "";
    const { loses, halves, says, repeats, answers } = this.misbehaves;
    const isPut = method === "PUT";
    const lost = isPut ? loses : undefined;
    if (lost === "request") return void request.socket.destroy();
    const forced = answers?.[method];
    let answer = forced ?? (isPut ? this.#put(path, body, headers) : this.#get(path, headers));
    if (isPut && repeats === true) answer = this.#put(path, body, headers);
    if (lost === "answer") return void request.socket.destroy();
    const stored = method === "GET" && answer.status === 200 ? this.files.get(path) : undefined;
    seen.status = isPut && says !== undefined ? says : answer.status;
    response.writeHead(seen.status, {
      ...(answer.headers ?? {}),
      ...(stored && { "content-length": stored.length }),
    });
    if (stored === undefined || halves !== true) return void response.end(stored);
    response.write(stored.subarray(0, stored.length / 2), () => request.socket.destroy());
  }

  #permissions(): readonly (readonly [string, string])[] {
    if (this.permits === undefined) return [];
    return [
      ["access-control-allow-origin", this.permits.origin],
      ["access-control-allow-methods", "GET, PUT"],
      ["access-control-allow-headers", "if-match, if-none-match, content-type"],
      ["access-control-expose-headers", this.permits.headers],
    ];
  }

  #get(path: string, { "if-none-match": condition }: IncomingMessage["headers"]): Answer {
    const stored = this.files.get(path);
    if (stored === undefined) return { status: 404 };
    const headers = this.#etagHeader(stored, this.misbehaves.etag);
    return { status: condition === etagOf(stored) ? 304 : 200, headers };
  }

  // Nothing is awaited between the comparison and the change.
  #put(path: string, body: Buffer, headers: IncomingMessage["headers"]): Answer {
    const stored = this.files.get(path);
    const { ignores = [], etag, etagOnPut } = this.misbehaves;
    const condition = (name: "if-match" | "if-none-match") =>
      ignores.includes(name) ? undefined : headers[name];
    const [match, noneMatch] = [condition("if-match"), condition("if-none-match")];
    if (match !== undefined && (stored === undefined || match !== etagOf(stored))) return { status: 412 };
    if (noneMatch === "*" && stored !== undefined) return { status: 412 };
    this.files.set(path, body);
    return { status: stored === undefined ? 201 : 204, headers: this.#etagHeader(body, etagOnPut ?? etag) };
  }

  #etagHeader(bytes: Buffer, as: "weak" | "none" | undefined): Record<string, string> {
    if (as === "none") return {};
    return { etag: as === "weak" ? `W/${etagOf(bytes)}` : etagOf(bytes) };
  }
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

function etagOf(bytes: Buffer): string {
  return `"${createHash("sha256").update(bytes).digest("hex")}"`;
}
