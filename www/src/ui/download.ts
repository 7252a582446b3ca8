/** Hands bytes or text to the user as a file. */

/** Saves a file under this name, as the browser does with downloads. */
export function download(name: string, content: Uint8Array<ArrayBuffer> | string, type?: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: type ?? "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken the file by then, and the page holds it no longer.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
