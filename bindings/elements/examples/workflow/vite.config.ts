/** Builds the example into `dist`: plain files. */

import { defineConfig, type Plugin } from "vite";

/** While developing, Vite writes styles into the page, which its policy would not permit. */
const withoutPolicy: Plugin = {
  name: "without-policy",
  apply: "serve",
  transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="content-security-policy"[^>]*>/, ""),
};

export default defineConfig({
  base: "./",
  build: { target: "es2022", modulePreload: { polyfill: false } },
  plugins: [withoutPolicy],
});
