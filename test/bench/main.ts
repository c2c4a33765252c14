/**
 * `npm run bench`: what hnet costs, beside what the alternatives cost, on this machine and in one run.
 *
 *   --only ROW[,ROW]   only these rows
 *   --quick            few rounds: a first impression
 *   --json FILE        keeps the figures
 *   --gate             exit code 1 where a comparison misses its target
 *
 * A row that can't be measured says why in the table, and the exit code is 1.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { attempt, run } from '../lab/run.ts';
import { type Figure, holds } from './figure.ts';
import { describeMachine } from './machine.ts';
import { report } from './report.ts';
import type { Bench, Row } from './row.ts';
import { ROWS } from './rows.ts';

export interface Measured {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Readonly<Record<string, string>>;
  readonly rows: readonly RowMeasured[];
}

export interface RowMeasured {
  readonly row: string;
  readonly title: string;
  readonly seconds: number;
  readonly figures: readonly Figure[];
  /** Why there are none. */
  readonly failure?: string;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    gate: { type: 'boolean', default: false },
  },
});

function chosen(only: string | undefined): Row[] {
  const names = only?.split(',') ?? ROWS.map(({ name }) => name);
  return names.map(name => {
    const row = ROWS.find(each => each.name === name);
    if (row === undefined)
      throw new Error(`There is no row "${name}", only ${ROWS.map(each => each.name).join(', ')}`);
    return row;
  });
}

/** One row that can't be measured must not cost the others' ten minutes. */
async function measure(row: Row, bench: Bench): Promise<RowMeasured> {
  const begun = performance.now();
  bench.step(row.title);
  const outcome = await refuseWithoutTools(row)
    .then(() => row.run(bench))
    .then(
      figures => ({ figures }),
      (error: unknown) => ({ figures: [], failure: error instanceof Error ? error.message : String(error) }),
    );
  return { row: row.name, title: row.title, seconds: (performance.now() - begun) / 1000, ...outcome };
}

/** Asked before a row spends minutes on its hosts. */
async function refuseWithoutTools({ needs = {} }: Row): Promise<void> {
  for (const [program, debianPackage] of Object.entries(needs))
    if ((await attempt(['sh', '-c', 'command -v "$0"', program])).code !== 0)
      throw new Error(`${program} is not installed; Debian has it in the package ${debianPackage}`);
}

const step = (what: string): void => void process.stderr.write(`${what} …\n`);
const rows = chosen(values.only);
await run(['node', 'build.mjs']);
const machine = await describeMachine();
const done: RowMeasured[] = [];
for (const row of rows) done.push(await measure(row, { quick: values.quick, step }));
const measured: Measured = { date: new Date().toISOString(), quick: values.quick, machine, rows: done };
console.log(report(measured));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(measured, null, 2)}\n`);
const missed = done.flatMap(row => row.figures.flatMap(each => each.comparisons.filter(one => !holds(one))));
const failed = done.some(({ failure }) => failure !== undefined);
// Said outright: a lab's end may leave another exit code behind.
process.exit(failed || (values.gate && missed.length > 0) ? 1 : 0);
