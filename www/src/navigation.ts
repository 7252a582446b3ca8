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

/** Where a session begins, and where an entry of the browser's history leads that is of no use any more. */
const START: Route = { view: "connectors" };

/**
 * The way through the views of a session, which the browser's Back and Forward follow. The browser keeps a number for
 * each step; which view that was, only this object knows, and forgets it with the session.
 */
export class Navigation {
  readonly #show: (route: Route) => void;
  readonly #routes = new Map<number, Route>();
  #isOn = false;

  /** `show` is called whenever another view is to be seen. */
  constructor(show: (route: Route) => void) {
    this.#show = show;
    addEventListener("popstate", () => this.#goneTo(stepOf(history.state) ?? 0));
  }

  /** Begins a session. */
  begin(): void {
    this.#isOn = true;
    const step = this.#nextStep();
    this.#routes.set(step, START);
    history.replaceState({ step }, "");
    this.#show(START);
  }

  /** Goes to a view. */
  go(route: Route): void {
    if (!this.#isOn) return;
    const step = this.#nextStep();
    this.#routes.set(step, route);
    history.pushState({ step }, "");
    this.#show(route);
  }

  /** Ends the session: Back leads nowhere then. */
  end(): void {
    this.#isOn = false;
    this.#routes.clear();
  }

  #goneTo(step: number): void {
    if (this.#isOn) this.#show(this.#routes.get(step) ?? START);
  }

  /** Behind those that this tab's history has, also from before the page was loaded again. */
  #nextStep(): number {
    return Math.max(0, stepOf(history.state) ?? 0, ...this.#routes.keys()) + 1;
  }
}

function stepOf(state: unknown): number | undefined {
  if (typeof state !== "object" || state === null || !("step" in state)) return undefined;
  return typeof state.step === "number" ? state.step : undefined;
}
