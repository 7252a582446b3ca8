/** Vaults in files: written in place where the browser can, otherwise uploaded and downloaded. */

import { MemoryStorage, VaultError } from "connector-vault";

import type { Place } from "../session.js";
import { download } from "../ui/download.js";
import { FileHeads } from "./file-heads.js";
import { FileHandleStorage } from "./file-handle-storage.js";

const PICKER_OPTIONS: FilePickerOptions = {
  id: "connector-vault",
  types: [{ description: "Vault", accept: { "application/octet-stream": [".cvault"] } }],
};

/** Whether this browser writes files in place. */
export function canWriteFiles(): boolean {
  return "showOpenFilePicker" in globalThis && "showSaveFilePicker" in globalThis;
}

/** Lets the user choose a file with a vault; nothing if they changed their mind. */
export async function pickFile(): Promise<Place | undefined> {
  return await picked(async () => {
    const [handle] = await showOpenFilePicker(PICKER_OPTIONS);
    // Now, while the user's click counts: later the browser would not ask. Whoever may only read has no use for it, and
    // so a refusal is none of the vault.
    await handle.requestPermission({ mode: "readwrite" }).catch(() => undefined);
    return handle;
  });
}

/** Lets the user choose a file for a new vault. */
export async function pickNewFile(): Promise<Place | undefined> {
  return await picked(() => showSaveFilePicker({ ...PICKER_OPTIONS, suggestedName: "team.cvault" }));
}

async function picked(pick: () => Promise<FileSystemFileHandle>): Promise<Place | undefined> {
  try {
    return filePlace(await pick());
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    throw error;
  }
}

/** A file that is written in place. */
export function filePlace(handle: FileSystemFileHandle): Place {
  return { kind: "file", label: handle.name, storage: new FileHandleStorage(handle) };
}

/** A vault of uploaded bytes, or one that is yet to be created: the user downloads what becomes of it. */
export function memoryPlace(label: string, bytes?: Uint8Array): Place {
  // The heads are those of files of this name, also where the browser writes them in place.
  const storage = new MemoryStorage(bytes, { places: [`file:${label}`], heads: new FileHeads() });
  let isSaved = true;
  storage.subscribe(() => (isSaved = false));
  const save = () => {
    const { bytes } = storage;
    if (bytes === undefined) throw new VaultError("file_not_found", `there is no vault in ${label} yet`);
    download(label, new Uint8Array(bytes));
    isSaved = true;
  };
  return {
    kind: "file",
    label,
    storage,
    download: {
      get isSaved() {
        return isSaved;
      },
      save,
    },
  };
}
