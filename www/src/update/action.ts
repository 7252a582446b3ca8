/** Actions as this page begins them, and what of an action is in clear. */

import { findTokens } from "connector-vault";

/** `Connectors.Update` of a connector, or of none yet, with nothing to change; as the editor writes it. */
export function emptyAction(id = ""): string {
  return JSON.stringify({ ActionType: "Connectors.Update", Parameters: { EntryId: id } }, null, 2);
}

/** The documentation's example. */
export const EXAMPLE = JSON.stringify(
  {
    ActionType: "Connectors.Update",
    Parameters: {
      EntryId: "twitterConnectorId",
      Properties: [{ PropertyName: "APIKey", PropertyValue: "[Secrets:TwitterKey]" }],
      PropertiesJson: '{ "Timeout": "30s" }',
    },
  },
  null,
  2,
);

/** Tokens of the documentation's examples, to begin with. */
export const EXAMPLE_TOKENS: readonly string[] = [
  "Secrets:TwitterKey",
  "OAuth:AccessToken",
  "OAuth:RefreshToken",
];

/** Whether the form can show an action: it is an update, or no action that could be told. */
export function isForForm(text: string): boolean {
  const type = member(parsed(text), "ActionType");
  return typeof type !== "string" || type === "Connectors.Update";
}

/** The connector that an action, as the editor writes it, is about. */
export function entryIdOf(text: string): string {
  return String(member(member(parsed(text), "Parameters"), "EntryId") ?? "");
}

/**
 * Where in an action somebody wrote a value itself, not a token: names of properties, for people. Whoever has the
 * text has these values.
 */
export function literalsOf(text: string): string[] {
  const parameters = member(parsed(text), "Parameters");
  const rows = member(parameters, "Properties");
  const json = member(parameters, "PropertiesJson");
  const names = (Array.isArray(rows) ? rows : [])
    .filter((row) => isLiteral(member(row, "PropertyValue")))
    .map((row) => String(member(row, "PropertyName") ?? ""));
  return [...new Set([...names, ...(typeof json === "string" ? literalsOfJson(json) : [])])];
}

function literalsOfJson(text: string): string[] {
  const object = parsed(text);
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    // With a token in the place of a value it is no JSON yet. Whether there are values beside is for the user to see.
    const isOneToken =
      findTokens(text).length === 1 && text.trim().startsWith("[") && text.trim().endsWith("]");
    return text.trim() === "" || isOneToken ? [] : ["Dynamic Properties"];
  }
  return Object.entries(object)
    .filter(([, value]) => isLiteral(value))
    .map(([name]) => name);
}

function isLiteral(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return false;
  return findTokens(typeof value === "string" ? value : JSON.stringify(value)).length === 0;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
