/**
 * Secrets on the clipboard: put there on request, and taken away again when that is possible. Other programs read the
 * clipboard, and its managers keep what was there: the page says so where it offers to copy.
 */

/** How long a secret stays on the clipboard, in milliseconds. */
export const CLIPBOARD_MS = 30_000;

/** What people are told after a secret was copied. */
export const COPIED_TEXT =
  "Copied. It is removed from the clipboard in 30 seconds if this page is in front then; " +
  "clipboard managers and the clipboard's history may keep it.";

let secret: string | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Copies a secret. Fails where the browser does not permit it. */
export async function copySecret(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  secret = text;
  clearTimeout(timer);
  timer = setTimeout(() => void clearSecret(), CLIPBOARD_MS);
}

/** Copies what is no secret, and stays. Fails where the browser does not permit it. */
export async function copyText(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  replaced();
}

// Whoever copies by hand has something else there from then on.
for (const type of ["copy", "cut"]) document.addEventListener(type, replaced, { capture: true });

/** The secret is not on the clipboard any more: what is there now is left alone. */
function replaced(): void {
  clearTimeout(timer);
  secret = undefined;
}

/** Takes a secret that was copied away again, if it is time or the vault is locked. */
export async function clearSecret(): Promise<void> {
  clearTimeout(timer);
  const copied = secret;
  secret = undefined;
  if (copied === undefined) return;
  try {
    // Only a page in front may write, and then only where the browser does not want a click for it.
    if (!document.hasFocus()) return;
    // Whoever has copied something else keeps it, if the browser tells.
    if ((await mayRead()) && (await navigator.clipboard.readText()) !== copied) return;
    await navigator.clipboard.writeText("");
  } catch {
    // It stays there. The user was told that it may.
  }
}

async function mayRead(): Promise<boolean> {
  try {
    // Asked for without asking the user, who would wonder why a page wants to read what they copied.
    const name = "clipboard-read" as PermissionName;
    return (await navigator.permissions.query({ name })).state === "granted";
  } catch {
    return false;
  }
}
