/** How long before an unchanged problem is logged again, in milliseconds. */
const AGAIN = 60 * 60_000;

/** Keeps a daemon's log short: an unchanged problem is logged once, and again after an hour. */
export class Complaints {
  /** Line → when it was last said. */
  #said = new Map<string, number>();

  /**
   * @param lines what is wrong now; one that is gone and comes back is said at once
   * @param now in milliseconds
   * @returns those to say
   */
  news(lines: readonly string[], now: number): string[] {
    const each = [...new Set(lines)];
    const due = each.filter(line => now - (this.#said.get(line) ?? Number.NEGATIVE_INFINITY) >= AGAIN);
    this.#said = new Map(each.map(line => [line, due.includes(line) ? now : (this.#said.get(line) ?? now)]));
    return due;
  }
}
