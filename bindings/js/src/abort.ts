/** Giving up: waits that end when a signal aborts, whatever the awaited code of a host does. */

/**
 * What `work` settles with, or a failure with the reason of `signal` as soon as it aborts. `work` itself is not
 * stopped: its answer, if one comes, is dropped. While `mustFinish` says so, an abort is ignored.
 */
export function orAborted<T>(
  work: PromiseLike<T> | T,
  signal: AbortSignal | undefined,
  mustFinish: () => boolean = () => false,
): Promise<T> {
  const settled = Promise.resolve(work);
  if (signal === undefined) return settled;
  return new Promise((resolve, reject) => {
    const abort = () => {
      if (!mustFinish()) reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    void settled.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
