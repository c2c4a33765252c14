/** Work that follows events, and doesn't follow each of them. */
export class Debounce {
  readonly #work: () => void;
  readonly #settle: number;
  #timer: NodeJS.Timeout | undefined;
  /** The time before which nothing is done, in milliseconds since the epoch. */
  #rested = 0;

  /** @param settle how long after the first event the work is done, in milliseconds */
  constructor(work: () => void, settle: number) {
    this.#work = work;
    this.#settle = settle;
  }

  /** Something happened. What happens from the beginning of the work on calls for it once more. */
  soon(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined;
        this.#work();
      },
      Math.max(this.#settle, this.#rested - Date.now()),
    );
  }

  /** Nothing is done for so many milliseconds from now on. */
  rest(time: number): void {
    this.#rested = Date.now() + time;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
