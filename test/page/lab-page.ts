import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { PATIENCE } from '../lab/wait.ts';
import { Stage, type StageOptions } from '../system/stage.ts';
import { browserIn } from './browser.ts';
import { ADMINISTRATOR, type Session, startCockpit } from './cockpit.ts';

export interface PageOptions extends StageOptions {
  /** Cockpit's own shell, around the page, logs errors that are none of ours. Default: any complaint fails the test. */
  readonly complaints?: 'ignored';
  /** How hnet and the page are installed, before Cockpit is started. Default: by install.sh. */
  readonly install?: (stage: Stage) => Promise<void>;
}

/** How the page is looked at. */
export interface Look {
  readonly session?: Session;
  readonly isDark?: boolean;
  readonly size?: { readonly width: number; readonly height: number };
}

/** Where pictures of a run are kept. */
export const SCREENS = fileURLToPath(new URL('../../.cache/screens', import.meta.url));
const DESK = { width: 1280, height: 800 };

/**
 * A hypervisor with hnet and Cockpit, and a browser in its network, for the tests of one `describe`. What the browser
 * complains about while a test looks at the page (an error of the program, something that the content policy refused) fails
 * that test.
 */
export class PageLab {
  readonly stage: Stage;
  readonly #complaints: string[] = [];
  #browser: Browser | undefined;

  constructor({ complaints, install, ...options }: PageOptions = {}) {
    const lab = this;
    this.stage = new Stage({ ...options, installed: install === undefined });
    before(async () => {
      await install?.(this.stage);
      await startCockpit(this.stage.hv, ADMINISTRATOR);
      this.#browser = await browserIn(this.stage.hv);
    });
    afterEach(async function () {
      if (this.currentTest?.state === 'failed') await lab.#picture(this.currentTest.fullTitle());
      for (const context of lab.browser.contexts()) await context.close();
      const made = lab.#complaints.splice(0);
      if (complaints !== 'ignored' && made.length > 0)
        throw new Error(`The browser complains:\n${made.join('\n')}`);
    });
    after(() => this.#browser?.close());
  }

  get browser(): Browser {
    if (this.#browser === undefined) throw new Error('Cannot use the browser before the tests begin');
    return this.#browser;
  }

  /** Opens the page alone, without Cockpit's shell around it, at a place such as `#/pools`. */
  async open(place = '#/', look: Look = {}): Promise<Page> {
    const page = await this.blank(look);
    const { port } = look.session ?? ADMINISTRATOR;
    await page.goto(`http://127.0.0.1:${port}/cockpit/@localhost/hnet/index.html${place}`);
    return page;
  }

  /** Keeps what a failed test saw. */
  async #picture(title: string): Promise<void> {
    const pages = this.browser.contexts().flatMap(context => context.pages());
    for (const [number, page] of pages.entries())
      await page.screenshot({ path: `${SCREENS}/failed ${title.replace(/[^\w ]/g, '')} ${number}.png` });
  }

  /** An empty window, whose complaints are this lab's. */
  async blank({ isDark = false, size = DESK }: Look = {}): Promise<Page> {
    const context = await this.browser.newContext({
      colorScheme: isDark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      viewport: size,
      ignoreHTTPSErrors: true,
      locale: 'en',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    page.on('console', message => {
      if (message.type() === 'error') this.#complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', error => this.#complaints.push(error.stack ?? error.message));
    return page;
  }
}
