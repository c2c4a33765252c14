/**
 * `npm run bench`: what hnet costs, beside what the alternatives cost, on this machine and in one run.
 *
 *   --only ROW[,ROW]   only these rows
 *   --quick            few rounds: a first impression
 *   --json FILE        keeps the figures
 *   --gate             exit code 1 where a comparison misses its target
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { run } from '../lab/run.ts';
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

async function measure(row: Row, bench: Bench): Promise<RowMeasured> {
  const begun = performance.now();
  bench.step(row.title);
  const figures = await row.run(bench);
  return { row: row.name, title: row.title, seconds: (performance.now() - begun) / 1000, figures };
}

const step = (what: string): void => void process.stderr.write(`${what} …\n`);
const rows = chosen(values.only);
await run(['node', 'build.mjs']);
const machine = await describeMachine();
const done: RowMeasured[] = [];
for (const row of rows) {
  try {
    done.push(await measure(row, { quick: values.quick, step }));
  } catch (error) {
    // One row that can't be measured must not cost the others' ten minutes.
    process.exitCode = 1;
    console.error(`Cannot measure "${row.name}":`, error);
  }
}
const measured: Measured = { date: new Date().toISOString(), quick: values.quick, machine, rows: done };
console.log(report(measured));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(measured, null, 2)}\n`);
const missed = done.flatMap(row => row.figures.flatMap(each => each.comparisons.filter(one => !holds(one))));
if (values.gate && missed.length > 0) process.exitCode = 1;
