import type { Page } from 'playwright-core';
import { Stage, type StageOptions } from '../system/stage.ts';
import { ADMINISTRATOR, startCockpit } from './cockpit.ts';
import { type Look, Onlooker } from './onlooker.ts';

export interface PageOptions extends StageOptions {
  /** Cockpit's own shell, around the page, logs errors that are none of ours. Default: any complaint fails the test. */
  readonly complaints?: 'ignored';
  /** How hnet and the page are installed, before Cockpit is started. Default: by install.sh. */
  readonly install?: (stage: Stage) => Promise<void>;
}

/**
 * A hypervisor with hnet and Cockpit, and a browser in its network, for the tests of one `describe`. What the browser
 * complains about while a test looks at the page fails that test.
 */
export class PageLab {
  readonly stage: Stage;
  #onlooker: Onlooker | undefined;

  constructor({ complaints, install, ...options }: PageOptions = {}) {
    const lab = this;
    this.stage = new Stage({ ...options, installed: install === undefined });
    before(async () => {
      await install?.(this.stage);
      await startCockpit(this.stage.hv, ADMINISTRATOR);
      this.#onlooker = await Onlooker.at(this.stage.hv);
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await lab.onlooker.picture(this.currentTest.fullTitle());
      const made = await lab.onlooker.leave();
      if (complaints !== 'ignored' && made.length > 0)
        throw new Error(`The browser complains:\n${made.join('\n')}`);
    });
    after(() => this.#onlooker?.close());
  }

  get onlooker(): Onlooker {
    if (this.#onlooker === undefined) throw new Error('Cannot use the browser before the tests begin');
    return this.#onlooker;
  }

  /** Opens the page alone, without Cockpit's shell around it, at a place such as `#/pools`. */
  open(place = '#/', look: Look = {}): Promise<Page> {
    return this.onlooker.open(place, look);
  }
}
