/** How the JSON editor looks: by the theme's custom properties, so that it follows light and dark. */

import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** Colours of JSON. */
export const highlighting = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--_accent)" },
  { tag: tags.string, color: "var(--_added)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--_changed)" },
  { tag: [tags.separator, tags.squareBracket, tags.brace, tags.punctuation], color: "var(--_muted)" },
]);

/** The editor and what pops up in it. No picture: a policy would have to allow `data:`. */
export const look = EditorView.theme({
  "&": { color: "var(--_text)", backgroundColor: "transparent", fontSize: "0.875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "var(--_font-mono)",
    lineHeight: "1.5",
    maxHeight: "24rem",
    overflow: "auto",
  },
  ".cm-content": { padding: "var(--_space) 0", minHeight: "7.5rem", caretColor: "var(--_text)" },
  ".cm-line": { padding: "0 var(--_space) 0 4px" },
  ".cm-gutters": {
    color: "var(--_muted)",
    backgroundColor: "transparent",
    border: "none",
    fontSize: "0.75rem",
    userSelect: "none",
  },
  ".cm-lineNumbers .cm-gutterElement": {
    minWidth: "2rem",
    padding: "0 var(--_space) 0 0",
    lineHeight: "1.3125rem",
  },
  ".cm-placeholder": { color: "var(--_muted)" },
  "&.cm-focused .cm-matchingBracket": {
    color: "inherit",
    backgroundColor: "var(--_accent-faint)",
    outline: "1px solid var(--_accent)",
  },
  // The core says what is wrong, and a bracket in a text is not.
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent" },
  ".cm-token, .cm-token *": { color: "var(--_token)" },
  ".cm-token": {
    backgroundColor: "var(--_token-faint)",
    borderRadius: "3px",
    boxShadow: "inset 0 -1px 0 var(--_token)",
    // Seen where colours are forced, which leave out shadows.
    outline: "1px solid transparent",
  },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--_error)",
    textDecorationSkipInk: "none",
    textUnderlineOffset: "3px",
  },
  ".cm-lintPoint-error::after": { borderBottomColor: "var(--_error)" },
  ".cm-tooltip": {
    color: "var(--_text)",
    backgroundColor: "var(--_surface)",
    border: "1px solid var(--_border)",
    borderRadius: "var(--_radius)",
    boxShadow: "0 6px 20px rgb(0 0 0 / 0.2)",
    overflow: "hidden",
    zIndex: "10",
  },
  ".cm-diagnostic": {
    padding: "var(--_space)",
    borderLeft: "3px solid var(--_error)",
    whiteSpace: "pre-wrap",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--_font-mono)",
    fontSize: "0.8125rem",
    maxHeight: "15rem",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "6px var(--_space)", lineHeight: "1.4" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    color: "var(--_text)",
    background: "var(--_accent-faint)",
    boxShadow: "inset 3px 0 0 var(--_accent)",
    outline: "2px solid transparent",
    outlineOffset: "-2px",
  },
  ".cm-completionLabel": { color: "var(--_token)" },
  ".cm-completionDetail": {
    color: "var(--_muted)",
    fontFamily: "var(--_font)",
    fontStyle: "normal",
    marginLeft: "1em",
  },
});
