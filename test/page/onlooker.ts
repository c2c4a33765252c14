import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { Machine } from '../lab/machine.ts';
import { browserIn } from './browser.ts';
import { ADMINISTRATOR, type Session } from './cockpit.ts';

/** How the page is looked at. */
export interface Look {
  readonly session?: Session;
  readonly isDark?: boolean;
  readonly size?: { readonly width: number; readonly height: number };
}

/** Where pictures of a run are kept. */
export const SCREENS = fileURLToPath(new URL('../../.cache/screens', import.meta.url));
export const DESK = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };
/** How long the page may take for one thing, in milliseconds: ten times what it takes on a machine with much other work. */
const LIMIT = 60_000;

/** Somebody at a browser in a machine's network. */
export class Onlooker {
  readonly #browser: Browser;
  readonly #complaints: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async at(machine: Machine): Promise<Onlooker> {
    return new Onlooker(await browserIn(machine));
  }

  /** Opens the page alone, without Cockpit's shell around it, at a place such as `#/pools`. */
  async open(place = '#/', look: Look = {}): Promise<Page> {
    const page = await this.blank(look);
    const { port } = look.session ?? ADMINISTRATOR;
    await page.goto(`http://127.0.0.1:${port}/cockpit/@localhost/hnet/index.html${place}`);
    return page;
  }

  /** An empty window, whose complaints are kept: an error of the program, or what the content policy refused. */
  async blank({ isDark = false, size = DESK }: Look = {}): Promise<Page> {
    const context = await this.#browser.newContext({
      colorScheme: isDark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      viewport: size,
      ignoreHTTPSErrors: true,
      locale: 'en',
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(LIMIT);
    const page = await context.newPage();
    page.on('console', message => {
      if (message.type() === 'error') this.#complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', error => this.#complaints.push(error.stack ?? error.message));
    return page;
  }

  /** Keeps what is seen now. */
  async picture(title: string): Promise<void> {
    const pages = this.#browser.contexts().flatMap(context => context.pages());
    for (const [number, page] of pages.entries())
      await page.screenshot({ path: `${SCREENS}/failed ${title.replace(/[^\w ]/g, '')} ${number}.png` });
  }

  /** Closes all windows. @returns what the browser complained about */
  async leave(): Promise<string[]> {
    for (const context of this.#browser.contexts()) await context.close();
    return this.#complaints.splice(0);
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}
