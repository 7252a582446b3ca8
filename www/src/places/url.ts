/** Vaults at URLs of this page's origin, and of those that its build permits. */

import { HttpStorage, VaultError } from "connector-vault";

import type { Place } from "../session.js";

/** The build option CONNECTOR_VAULT_ORIGINS: vite.config.ts. */
declare const PERMITTED_ORIGINS: readonly string[];

/** A URL without the user and password that it held. */
export interface SplitUrl {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/**
 * Takes user and password out of a URL, as browsers write them; what is no URL stays as it is. They are percent-encoded
 * then, as they stand in it.
 */
export function splitUrl(text: string): SplitUrl {
  if (!URL.canParse(text)) return { url: text, user: "", password: "" };
  const url = new URL(text);
  const { username, password } = url;
  url.username = url.password = "";
  // As it was typed, unless there was something in it: a URL is written in other ways by the browser.
  return { url: username + password === "" ? text : url.href, user: username, password };
}

/**
 * The vault at a URL. Fails with `invalid_argument`, and with `origin_not_permitted` before any request is made: the
 * page's Content Security Policy would refuse it with less to say.
 */
export function urlPlace({ url, user, password }: SplitUrl): Place {
  const target = parse(url);
  if (target.origin !== location.origin && !PERMITTED_ORIGINS.includes(target.origin)) {
    const message = `this page may not connect to ${target.origin}`;
    const hint = `whoever builds it permits that by CONNECTOR_VAULT_ORIGINS="${target.origin}"`;
    throw new VaultError("origin_not_permitted", message, hint);
  }
  target.username = user;
  target.password = password;
  const storage = new HttpStorage(target);
  return {
    kind: "url",
    label: storage.url,
    storage,
    // The storage holds what it sends: user, password, query.
    afterwards: () => urlPlace({ url: storage.url, user: "", password: "" }),
  };
}

function parse(url: string): URL {
  try {
    return new URL(url, location.href);
  } catch {
    throw new VaultError(
      "invalid_argument",
      "this is no URL",
      "write it as https://files.example/team.cvault",
    );
  }
}
