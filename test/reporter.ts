import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

const { EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_RUN_END } =
  Mocha.Runner.constants;
/** Quicker than this is not worth a number. */
const NOTABLE = 20;
/** How many of the slowest tests are shown once more. */
const SLOWEST = 10;

/** What the stages of test/run print: every test on a line with its time, the slowest and the failures at the end. */
class Reporter extends Mocha.reporters.Base {
  /** Milliseconds and name of each test. */
  readonly #times: (readonly [number, string])[] = [];
  #passed = 0;
  #failed = 0;
  /** How many suites there are around; what comes from another process can't tell by itself. */
  #depth = 0;

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const begun = performance.now();
    runner.on(EVENT_SUITE_BEGIN, suite => {
      if (suite.title !== '') print(this.#depth, suite.title);
      this.#depth += 1;
    });
    runner.on(EVENT_SUITE_END, () => {
      this.#depth -= 1;
    });
    runner.on(EVENT_TEST_PASS, test => {
      this.#passed += 1;
      const time = test.duration ?? 0;
      this.#times.push([time, test.fullTitle()]);
      print(this.#depth, `✔ ${test.title}${time < NOTABLE ? '' : ` (${time} ms)`}`);
    });
    // Skipped tests arrive here too (forbidPending), and failing hooks, which show what they kept from running.
    runner.on(EVENT_TEST_FAIL, (test, error: Error) => {
      this.#failed += 1;
      print(this.#depth, `✘ ${test.title}: ${error.message.split('\n')[0]}`);
    });
    runner.once(EVENT_RUN_END, () => {
      this.#showSlowest();
      this.#showFailures();
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      print(0, `${this.#passed} passed, ${this.#failed} failed in ${seconds} s`);
      const file = process.env['HNET_TEST_RESULT'];
      if (file === undefined) return;
      writeFileSync(file, [`${this.#passed} ${this.#failed}`, ...this.failures.map(told), ''].join('\n'));
    });
  }

  /** Of all files, in whichever process they ran. */
  #showSlowest(): void {
    const slowest = this.#times.filter(([time]) => time >= NOTABLE).sort(([one], [other]) => other - one);
    if (slowest.length > 0) print(0, '\nThe slowest tests:');
    for (const [time, title] of slowest.slice(0, SLOWEST))
      print(1, `${(time / 1000).toFixed(1).padStart(6)} s  ${title}`);
  }

  /** Mocha's own list: the whole message, the difference of values, and where it happened. */
  #showFailures(): void {
    if (this.failures.length > 0) Mocha.reporters.Base.list(this.failures);
  }
}

/** A failure by its whole name, with what it said and where: for the end of a run, of which some see only the tail. */
function told(test: Mocha.Test): string {
  return `${test.fullTitle()}\n  ${(test.err?.stack ?? 'no error was given').replaceAll('\n', '\n  ')}`;
}

/** Known to mocha by its name: a module loaded through `require` can't hand it a default export. */
Object.assign(Mocha.reporters, { hnet: Reporter });

function print(indent: number, text: string): void {
  process.stdout.write(`${'  '.repeat(indent)}${text}\n`);
}
