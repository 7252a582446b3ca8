/** What a locked page still holds beside its vault, and how that goes too. */

/** Inputs whose value nobody types. */
const CHOICES = ["checkbox", "radio", "button", "submit", "reset"];

/** Empties what was typed below a node, in shadow trees too: an input that left the page may live on for a while. */
export function emptyInputs(root: ParentNode): void {
  for (const element of root.querySelectorAll("*")) {
    if (element instanceof HTMLTextAreaElement) element.value = "";
    if (element instanceof HTMLInputElement && !CHOICES.includes(element.type)) element.value = "";
    if (element.shadowRoot !== null) emptyInputs(element.shadowRoot);
  }
}

/** Regular expressions keep the text that was matched last, for all of the page to see: `RegExp.lastMatch` and others. */
export function forgetMatches(): void {
  /-/.exec("-");
}
