/**
 * `tsx test/page/screens.ts`: makes docs/images/cockpit-*.png anew, from what the tests of the views see. A run takes two
 * minutes.
 */
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lab/run.ts';
import { PROJECT } from '../support/build.ts';

/** Of the pictures of a run, those that the documentation shows. */
const SHOWN = {
  overview: 'overview-light',
  pools: 'pools-light',
  vm: 'vm-light',
  topology: 'picture-light',
  assign: 'assign-light',
};
/** A picture's size at most, in bytes. */
const LARGEST = 150 * 1024;
const LIMIT = 900_000;

const MOCHA = ['node', '--import', 'tsx', 'node_modules/mocha/bin/mocha.js', '--timeout', String(LIMIT)];
const TESTS = ['--grep', 'by day|picture|dialogs', 'test/page/views.test.ts'];

await run(['env', '-C', PROJECT, ...MOCHA, ...TESTS], { limit: LIMIT });
const images = join(PROJECT, 'docs/images');
mkdirSync(images, { recursive: true });
for (const [name, picture] of Object.entries(SHOWN)) {
  const made = join(PROJECT, `.cache/screens/${picture}.png`);
  const { size } = statSync(made);
  if (size > LARGEST) throw new Error(`Cannot show ${made}: it has ${size} bytes, more than ${LARGEST}`);
  copyFileSync(made, join(images, `cockpit-${name}.png`));
}
