/** What is being done, on one line of a terminal: the next one takes its place, and whatever else is said takes it away. */
export class Progress {
  readonly #stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;
  #isShown = false;

  /** @param stream shows it only if it is a terminal */
  constructor(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>) {
    this.#stream = stream;
  }

  show(doing: string): void {
    if (this.#stream.isTTY !== true) return;
    // A line that is too long for the terminal would leave its beginning behind. Some terminals don't say how wide they are.
    const width = this.#stream.columns > 0 ? this.#stream.columns : USUAL_WIDTH;
    this.#stream.write(`${ERASE}${doing.slice(0, width - 2)} …`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) this.#stream.write(ERASE);
    this.#isShown = false;
  }
}

const USUAL_WIDTH = 80;

/** To the beginning of the line, and nothing stays behind it (ECMA-48: CR, EL). */
const ERASE = '\r\u001b[K';
