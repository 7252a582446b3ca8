/** Builds the designer into `dist`: plain files for any static server. */

import { defineConfig, type Plugin } from "vite";

import { headersFor, originsOf, policyFor } from "./policy.js";
import { offline } from "./vite-offline.js";

/**
 * Further origins whose vaults the page may open, such as `https://files.example`, separated by spaces. By default it
 * speaks to its own only.
 */
const ORIGINS = originsOf(process.env["CONNECTOR_VAULT_ORIGINS"] ?? "");

const POLICY = policyFor(ORIGINS);

/**
 * Writes the policy into the page, so that it holds on every server, and has the browser load the WebAssembly module
 * while it still reads the scripts.
 */
const pageHead: Plugin = {
  name: "page-head",
  apply: "build",
  transformIndexHtml: (_html, { bundle }) => {
    const wasm = Object.keys(bundle ?? {}).find((file) => /\bvault-[^/]*\.wasm$/.test(file));
    if (wasm === undefined) throw new Error("the page has no WebAssembly module");
    return [
      {
        tag: "meta",
        attrs: { "http-equiv": "content-security-policy", content: POLICY },
        injectTo: "head-prepend",
      },
      {
        tag: "link",
        attrs: { rel: "preload", as: "fetch", type: "application/wasm", crossorigin: "", href: `./${wasm}` },
        injectTo: "head",
      },
    ];
  },
};

export default defineConfig({
  base: "./",
  define: { PERMITTED_ORIGINS: JSON.stringify(ORIGINS) },
  // The components import the package by its name: one module for all, served as a file of its own.
  resolve: { alias: [{ find: /^connector-vault$/, replacement: "connector-vault/slim" }] },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  preview: { host: "127.0.0.1", port: 4173, strictPort: false, headers: headersFor(POLICY) },
  plugins: [pageHead, offline()],
});
