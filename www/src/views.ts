/** The views of an open vault: what they are called, and how they get into the page. */

import { html, type TemplateResult } from "lit";

import type { Route } from "./navigation.js";
import type { Session } from "./session.js";

/** For the page's title, which browsers keep in their history: no ids. */
export const TITLES: Readonly<Record<Route["view"], string>> = {
  connectors: "Connectors",
  create: "New connector",
  connector: "Connector",
  edit: "Edit connector",
  update: "Update",
  history: "History",
  grants: "Grants",
  log: "Audit log",
  merge: "Merge",
};

const LOADERS: Partial<Readonly<Record<Route["view"], () => Promise<unknown>>>> = {
  connectors: () => import("./connectors/connectors-view.js"),
  connector: () => import("./connectors/connector-view.js"),
  create: () => import("./connectors/connector-form.js"),
  edit: () => import("./connectors/connector-form.js"),
  update: () => import("./update/update-view.js"),
  history: () => import("./history/history-view.js"),
  grants: () => import("./grants/grants-view.js"),
  log: () => import("./log/log-view.js"),
  merge: () => import("./merge/merge-view.js"),
};

/** Loads what a view needs. Fails if it is not there, as on a page without a network that never had it. */
export async function load({ view }: Route): Promise<void> {
  await LOADERS[view]?.();
}

/** A view, once it is loaded. */
export function viewTemplate(route: Route, session: Session): TemplateResult {
  switch (route.view) {
    case "connectors":
      return html`<connectors-view .session=${session}></connectors-view>`;
    case "create":
      return html`<connector-form .session=${session}></connector-form>`;
    case "connector":
      return html`<connector-view .session=${session} .connectorId=${route.id}></connector-view>`;
    case "edit":
      return html`<connector-form .session=${session} .connectorId=${route.id}></connector-form>`;
    case "update":
      return html`<update-view .session=${session} .connectorId=${route.id}></update-view>`;
    case "history":
      return html`<history-view .session=${session} .connectorId=${route.id}></history-view>`;
    case "grants":
      return html`<grants-view .session=${session}></grants-view>`;
    case "log":
      return html`<log-view .session=${session}></log-view>`;
    case "merge":
      return html`<merge-view .session=${session}></merge-view>`;
  }
}
