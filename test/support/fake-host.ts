import { Host } from '../../src/host/host.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { type Batch, describe as describeAction } from '../../src/resources/action.ts';

/** A host on which nothing happens: it notes what it is told to do, and fails where a test wants it to. */
export class FakeHost extends Host {
  /** Everything performed, a line each: `+ ` as it comes up, `- ` as it goes down, forgivingly. */
  readonly done: string[] = [];
  readonly #fails: (line: string) => boolean;

  constructor(fails: (line: string) => boolean = () => false) {
    super();
    this.#fails = fails;
  }

  override perform(batch: Batch, forgiving: boolean): void {
    const lines = batch.kind === 'lines' ? batch.lines : [describeAction(batch.action)];
    for (const line of lines) {
      const noted = `${forgiving ? '-' : '+'} ${line}`;
      this.done.push(noted);
      if (this.#fails(noted)) throw new Refusal(`Cannot ${line}`);
    }
  }
}
