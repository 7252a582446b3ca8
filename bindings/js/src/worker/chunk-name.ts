/** The name of a worker that is started from the chunk, which tells the chunk that it is one. */
export const CHUNK_NAME = "connector-vault-chunk";
