/** How long what goes on being so isn't said again, in milliseconds. */
const AGAIN = 60 * 60_000;

/** Keeps a daemon's log short: it says once what goes on being so, and again after an hour. */
export class Complaints {
  /** Line → when it was last said. */
  #said = new Map<string, number>();

  /**
   * @param lines what is wrong now; what isn't among them any more is said at once when it comes back
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
