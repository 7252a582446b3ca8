/** Builds the designer into `dist`: plain files for any static server. */

import { defineConfig, type Plugin } from "vite";

/**
 * Further origins whose vaults the page may open, separated by spaces. By default it speaks to its own only.
 */
const ORIGINS = process.env["CONNECTOR_VAULT_ORIGINS"] ?? "";

/** What the page may do. `frame-ancestors` works in a header alone: see `preview`. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  `connect-src 'self' ${ORIGINS}`.trim(),
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": `${POLICY}; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Writes the policy into the page, so that it holds on every server. */
const policyInPage: Plugin = {
  name: "policy-in-page",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "content-security-policy", content: POLICY },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig({
  base: "./",
  // The components import the package by its name: one module for all, served as a file of its own.
  resolve: { alias: [{ find: /^connector-vault$/, replacement: "connector-vault/slim" }] },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  preview: { host: "127.0.0.1", port: 4173, strictPort: false, headers: HEADERS },
  plugins: [policyInPage],
});
