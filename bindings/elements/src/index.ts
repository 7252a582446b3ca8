/**
 * Web components over a connector vault. Importing this module defines all of them; each has a module of its
 * own, too.
 *
 * @packageDocumentation
 */

export { ConnectorHistory, RestoreEvent, RestoredEvent } from "./connector-history.js";
export { ConnectorPicker } from "./connector-picker.js";
export { setTexts, type Texts } from "./texts.js";
export type { TokenSuggestion } from "./tokens.js";
export { PlanErrorEvent, PlanEvent, UpdatePlan } from "./update-plan.js";
export { UpdateConnectorEditor } from "./update-connector-editor.js";
