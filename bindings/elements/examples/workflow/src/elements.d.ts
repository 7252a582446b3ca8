/** The components as React writes them: properties as they are, events with `on` before their names. */

import type { ConnectorPicker } from "connector-vault-elements/connector-picker.js";
import type { UpdateConnectorEditor } from "connector-vault-elements/update-connector-editor.js";
import type { PlanErrorEvent, PlanEvent, UpdatePlan } from "connector-vault-elements/update-plan.js";
import type { DetailedHTMLProps, HTMLAttributes } from "react";

type Properties<Of extends HTMLElement, Names extends keyof Of> = Partial<Pick<Of, Names>> &
  DetailedHTMLProps<HTMLAttributes<Of>, Of>;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "connector-picker": Properties<ConnectorPicker, "vault" | "value" | "label">;
      "update-connector-editor": Properties<
        UpdateConnectorEditor,
        "vault" | "value" | "tokens" | "plan" | "error"
      >;
      "update-plan": Properties<UpdatePlan, "vault" | "action" | "tokenValues"> & {
        onplan?: (event: PlanEvent) => void;
        "onplan-error"?: (event: PlanErrorEvent) => void;
      };
    }
  }
}
