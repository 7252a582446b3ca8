/**
 * Where in the page the user is. The address stays the same: the ids of connectors are sealed in the vault,
 * and a browser writes its history to the disk.
 */

/** A view of an open vault. */
export type Route =
  | { readonly view: "connectors" }
  | { readonly view: "create" }
  | { readonly view: "connector"; readonly id: string }
  | { readonly view: "edit"; readonly id: string }
  | { readonly view: "update"; readonly id?: string | undefined }
  | { readonly view: "history"; readonly id: string }
  | { readonly view: "grants" }
  | { readonly view: "log" }
  | { readonly view: "merge" };

/** Asks the page to show another view. Bubbles out of every view. */
export class NavigateEvent extends Event {
  readonly route: Route;

  constructor(route: Route) {
    super("navigate", { bubbles: true, composed: true });
    this.route = route;
  }
}
