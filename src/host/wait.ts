/** Waits until something is so, and does nothing else meanwhile. @returns whether it is, within the limit */
export function waitFor(isSo: () => boolean, limit: number): boolean {
  const end = Date.now() + limit;
  for (let wait = 0.25; !isSo(); wait = Math.min(2 * wait, 8)) {
    if (Date.now() > end) return false;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, wait);
  }
  return true;
}
