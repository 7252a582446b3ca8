/** A vault at a URL, of a server that keeps bytes and honours ETag and If-Match (RFC 9110 sections 8.8.3, 13.1). */

import { orAborted } from "../abort.js";
import { HEADERS_GIVEN, NEW, STORAGE_METHODS, STORAGE_METHODS_LATER } from "../arguments.js";
import { guard, take } from "../check.js";
import { VaultError } from "../error.js";
import type { KnownHeads } from "../heads.js";
import { IndexedDbKnownHeads } from "../heads/indexeddb.js";
import type { Compared, LogEnd, VaultStorage } from "../storage.js";
import { copyOf, compare, inMemory, isUnchanged, logEnd } from "./compare.js";

/** What no server calls any bytes. */
const NOBODYS_ETAG = '"connector-vault-nothing"';

/** How a vault at a URL is reached. */
export interface HttpStorageOptions {
  /** Headers of every request, such as `Authorization`; a function is asked before each request. */
  readonly headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>) | undefined;
  /** Makes the requests; by default the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Where known heads are kept; by default {@link IndexedDbKnownHeads} in browsers. `null`: nowhere. */
  readonly heads?: KnownHeads | null | undefined;
  /** Whether cookies go along; by default to the same origin only. */
  readonly credentials?: RequestCredentials | undefined;
}

/** The vault as the server had it at some time. */
interface Version {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the server calls exactly these bytes, if it has a name for them. */
  readonly etag: string | undefined;
}

/**
 * A vault at a URL. The server takes the whole file by PUT, if it still has the one that was read:
 * whoever comes second gets a conflict, and nothing is lost.
 *
 * That rests on the server. It has to send strong ETags, which differ for different bytes (one made of
 * time and size may not), and to honour If-Match and If-None-Match of a PUT, as one step. Without a strong
 * ETag a vault can be read and is not written. {@link create} finds out whether If-Match is ignored, as
 * far as one client can. To pages of another origin the server has to permit the methods GET and PUT, the
 * headers If-Match, If-None-Match and Content-Type, and to expose ETag.
 *
 * The newest version stays in memory, encrypted as it is: an update needs no download then.
 *
 * @example
 * ```ts
 * const headers = () => ({ authorization: `Bearer ${token()}` });
 * const storage = new HttpStorage("https://files.example/team.cvault", { headers });
 * const vault = await Vault.open(storage, { passphrase });
 * ```
 */
export class HttpStorage implements VaultStorage {
  /** The URL, without what may be secret in it: user, password, query. */
  readonly url: string;
  readonly places: readonly string[];
  readonly heads: KnownHeads | undefined;
  /** Without user and password, which `fetch` refuses and its errors repeat. */
  readonly #target: string;
  readonly #options: HttpStorageOptions;
  readonly #authorization: string | undefined;
  /** The version that was seen last, if it has an ETag. Each is used with its own bytes only. */
  #seen: Version | undefined;

  /**
   * The vault at `url`, which need not exist yet. A user and password in it become an Authorization
   * header, unless `headers` has one.
   *
   * Fails with `invalid_argument` if `url` is not one of http or https.
   */
  constructor(url: string | URL, options: HttpStorageOptions = {}) {
    [url, options = {}] = take(NEW.HttpStorage, [url, options]);
    const target = parseUrl(url);
    this.url = target.origin + target.pathname;
    this.places = [this.url];
    this.#authorization = authorizationOf(target);
    target.username = target.password = target.hash = "";
    this.#target = target.href;
    this.#options = options;
    this.heads = options.heads === undefined ? defaultHeads() : (options.heads ?? undefined);
  }

  /**
   * Fails with `file_exists` if there is something already, which stays as it is; with `io`, and with
   * `outcome_unknown` if no answer came. A server that ignores If-Match is refused with `io` too: it has
   * stored the vault, which must not be changed there.
   */
  async create(file: Uint8Array, signal?: AbortSignal): Promise<void> {
    const body = copyOf(file);
    // For servers that ignore If-None-Match.
    if ((await this.#find(signal)) !== undefined) throw this.#exists();
    const response = await this.#put(body, { "if-none-match": "*" }, signal);
    if (response.status === 412 || response.status === 409) {
      const standing = await this.#find();
      // 409 is also the answer of WebDAV when the folder does not exist (RFC 4918 section 9.7.1).
      if (standing === undefined) throw this.#refused("create", response);
      if (!startsWith(standing.bytes, body)) throw this.#exists();
      return;
    }
    if (isMissing(response)) throw this.#refused("create", response);
    this.#took(response, body);
    await this.#checkIfMatch(body);
  }

  async read(signal?: AbortSignal): Promise<Uint8Array> {
    return copyOf((await this.#standing(signal)).bytes);
  }

  /** Asks the server whether the file has changed; if so, all of it is downloaded. */
  async compare(known: LogEnd, signal?: AbortSignal): Promise<Compared> {
    return compare(inMemory((await this.#standing(signal)).bytes), known);
  }

  /**
   * Fails with `conflict`; with `io` if the server refuses; and with `outcome_unknown` if no answer came or
   * none that says whether it was stored. The vault looks then.
   */
  append(commit: Uint8Array, known: LogEnd, signal?: AbortSignal): Promise<void> {
    const added = copyOf(commit);
    const bodyFor = (stored: Uint8Array) => {
      const end = logEnd(known);
      const body = new Uint8Array(end + added.length);
      body.set(stored.subarray(0, end));
      body.set(added, end);
      return body;
    };
    return this.#change(known, bodyFor, signal);
  }

  /** Fails as {@link append} does. */
  replace(file: Uint8Array, known: LogEnd, signal?: AbortSignal): Promise<void> {
    const body = copyOf(file);
    return this.#change(known, () => body, signal);
  }

  async #change(
    known: LogEnd,
    bodyFor: (stored: Uint8Array) => Uint8Array<ArrayBuffer>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { bytes, etag } = await this.#unchanged(known, signal);
    if (etag === undefined) throw this.#noStrongEtag();
    const body = bodyFor(bytes);
    const response = await this.#put(body, { "if-match": etag }, signal);
    if (isMissing(response)) throw this.#notFound();
    if (response.status === 412 || response.status === 409) {
      // A browser repeats a PUT whose connection broke, and what stands in the way then may be the first.
      const standing = await this.#find().catch(() => undefined);
      if (standing !== undefined && startsWith(standing.bytes, body)) return;
      throw this.#conflict();
    }
    this.#took(response, body);
  }

  /** A version that ends with the known log. */
  async #unchanged(known: LogEnd, signal: AbortSignal | undefined): Promise<Version> {
    // Several vaults may share this storage: what was seen last need not be what this one knows. Should
    // it be old, the server says so.
    const seen = this.#seen;
    if (seen !== undefined && isUnchanged(inMemory(seen.bytes), known)) return seen;
    const standing = await this.#standing(signal);
    if (isUnchanged(inMemory(standing.bytes), known)) return standing;
    throw this.#conflict();
  }

  async #standing(signal?: AbortSignal): Promise<Version> {
    const version = await this.#find(signal);
    if (version === undefined) throw this.#notFound();
    return version;
  }

  /** The version that the server has now; nothing if there is no vault. */
  async #find(signal?: AbortSignal): Promise<Version | undefined> {
    const seen = this.#seen;
    const condition = seen?.etag === undefined ? {} : { "if-none-match": seen.etag };
    const headers = await this.#headers(condition, signal);
    try {
      const response = await orAborted(this.#fetch({ headers, ...(signal && { signal }) }), signal);
      if (response.status === 200) {
        const bytes = new Uint8Array(await orAborted(response.arrayBuffer(), signal));
        const etag = strongEtag(response);
        const version = { bytes, etag };
        this.#seen = etag === undefined ? undefined : version;
        return version;
      }
      discard(response);
      if (response.status === 304 && seen !== undefined) return seen;
      if (!isMissing(response)) throw this.#refused("read", response);
      this.#seen = undefined;
      return undefined;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof VaultError) throw error;
      const hint = "check the connection, and whether the server permits requests from this origin";
      throw new VaultError("io", `cannot read ${this.url}: ${this.#reason(error)}`, hint);
    }
  }

  /**
   * Resolves with an answer that says for certain whether the body was stored. `signal` counts until the request
   * is made: who gives that up cannot know whether the server stores the body.
   */
  async #put(
    body: Uint8Array<ArrayBuffer>,
    condition: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const own = { ...condition, "content-type": "application/octet-stream" };
    const headers = await this.#headers(own, signal);
    signal?.throwIfAborted();
    let response: Response;
    try {
      response = await this.#fetch({ method: "PUT", headers, body });
    } catch (error) {
      throw this.#unknown(this.#reason(error));
    }
    discard(response);
    const { status } = response;
    if ([200, 201, 204, 404, 409, 410, 412].includes(status)) return response;
    // A gateway may say 502 to 504 when the server behind it has stored the body; 202 is a promise.
    const isUnknown = response.ok || (status >= 500 && ![501, 505, 507].includes(status));
    throw isUnknown ? this.#unknown(`the server answered ${status}`) : this.#refused("write", response);
  }

  /** Keeps what was stored, if the server says what it calls it. If not, it is read before it is changed. */
  #took(response: Response, body: Uint8Array<ArrayBuffer>): void {
    const etag = strongEtag(response);
    if (etag !== undefined) this.#seen = { bytes: body, etag };
  }

  /** Puts the same bytes once more under a condition that does not hold. */
  async #checkIfMatch(body: Uint8Array<ArrayBuffer>): Promise<void> {
    // What else may go wrong does not matter: the vault was created.
    const response = await this.#put(body, { "if-match": NOBODYS_ETAG }).catch(() => undefined);
    if (response?.ok !== true) return;
    this.#seen = undefined;
    const hint = "remove the vault that was created there, and use a server that honours If-Match";
    throw new VaultError("io", `the server of ${this.url} ignores If-Match: updates would get lost`, hint);
  }

  /** The headers of the options, and those of the request. */
  async #headers(own: Record<string, string>, signal: AbortSignal | undefined): Promise<Headers> {
    const { headers } = this.#options;
    const answer = typeof headers === "function" ? await orAborted(headers(), signal) : headers;
    const [given] = take(HEADERS_GIVEN, [answer]);
    let all: Headers;
    try {
      all = new Headers(given);
    } catch {
      // The reason would repeat a value, which may be secret.
      throw new VaultError("invalid_argument", `the headers for ${this.url} have an invalid name or value`);
    }
    if (this.#authorization !== undefined && !all.has("authorization")) {
      all.set("authorization", this.#authorization);
    }
    for (const [name, value] of Object.entries(own)) all.set(name, value);
    return all;
  }

  #fetch(init: RequestInit): Promise<Response> {
    const { fetch = globalThis.fetch, credentials } = this.#options;
    return fetch(this.#target, {
      ...init,
      cache: "no-store",
      // Headers that hold credentials are for this server alone, and a redirected PUT can become a GET.
      redirect: "manual",
      ...(credentials && { credentials }),
    });
  }

  #reason(error: unknown): string {
    if (!(error instanceof Error)) return "the request failed";
    // Node says what it is in the cause.
    const text = [error, error.cause]
      .flatMap((one) => (one instanceof Error ? [one.message] : []))
      .join(": ");
    // Deno's errors hold the URL. For that reason they are not handed on as a cause, either.
    const { search } = new URL(this.#target);
    return search === "" ? text : text.replaceAll(search, "");
  }

  #refused(operation: string, response: Response): VaultError {
    const { status, type } = response;
    const isRedirect = type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304);
    const reason = isRedirect ? "the server redirects to another URL" : `the server answered ${status}`;
    const hint = isRedirect ? "use the URL to which it redirects" : hintFor(status);
    return new VaultError("io", `cannot ${operation} ${this.url}: ${reason}`, hint);
  }

  #unknown(reason: string): VaultError {
    const hint = "open the vault again and see whether the change is there";
    return new VaultError(
      "outcome_unknown",
      `a change of ${this.url} may have been stored or not: ${reason}`,
      hint,
    );
  }

  #noStrongEtag(): VaultError {
    const hint =
      "let the server send a strong ETag, and expose it to other origins; compression on the way weakens it";
    const message = `${this.url} has no strong ETag, without which updates would get lost`;
    return new VaultError("io", message, hint);
  }

  #conflict(): VaultError {
    const hint = "read the vault again and repeat the change";
    return new VaultError("conflict", `${this.url} holds another log than the one that was read`, hint);
  }

  #exists(): VaultError {
    const hint = "choose another URL; nothing was overwritten";
    return new VaultError("file_exists", `${this.url} exists already`, hint);
  }

  #notFound(): VaultError {
    const hint = "create the vault first, or check the URL";
    return new VaultError("file_not_found", `there is no vault at ${this.url}`, hint);
  }
}

guard(HttpStorage.prototype, STORAGE_METHODS, STORAGE_METHODS_LATER);

function parseUrl(url: string | URL): URL {
  let parsed: URL | undefined;
  try {
    parsed = new URL(url, globalThis.location?.href);
  } catch {
    // The reason would repeat the URL, which may hold a password.
  }
  if (parsed?.protocol === "https:" || parsed?.protocol === "http:") return parsed;
  throw new VaultError("invalid_argument", "a vault is stored at a URL of http or https", "check the URL");
}

/** The header for the user and password in a URL (RFC 7617). */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === "" && password === "") return undefined;
  const credentials = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`);
  return `Basic ${btoa(String.fromCharCode(...credentials))}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function defaultHeads(): KnownHeads | undefined {
  return typeof indexedDB === "undefined" ? undefined : new IndexedDbKnownHeads();
}

/** The ETag that stands for exactly the bytes of an answer. */
function strongEtag(response: Response): string | undefined {
  const etag = response.headers.get("etag");
  return etag !== null && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : undefined;
}

function isMissing({ status }: Response): boolean {
  return status === 404 || status === 410;
}

/** Frees the connection. */
function discard(response: Response): void {
  response.body?.cancel().catch(() => undefined);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, index) => byte === bytes[index]);
}

function hintFor(status: number): string | undefined {
  switch (status) {
    case 401:
    case 403:
      return "check the credentials in `headers`, and that they permit to read and to write there";
    case 405:
    case 501:
      return "let the server take PUT requests there";
    case 404:
    case 409:
    case 410:
      return "check that the folder of the vault exists";
    case 413:
      return "let the server take larger uploads";
    default:
      return status === 429 || status >= 500 ? "try again later" : undefined;
  }
}
