import type { Page } from 'playwright-core';
import { findings } from './axe.ts';
import { DESK, NARROW, SCREENS } from './onlooker.ts';

const LOOKS = [
  ['light', 'light', DESK],
  ['dark', 'dark', DESK],
  ['narrow', 'light', NARROW],
] as const;

/** Looks at what a page shows by day, by night and narrow, and keeps a picture of each. @returns what is wrong with it */
export async function wrongWith(page: Page, name: string): Promise<string[]> {
  const wrong: string[] = [];
  for (const [look, colorScheme, size] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(size);
    const found = await findings(page);
    if (await sticksOut(page)) found.push('something sticks out');
    wrong.push(...found.map(one => `${look}: ${one}`));
    await page.screenshot({ path: `${SCREENS}/${name}-${look}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(DESK);
  return wrong;
}

export const sticksOut = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth');
