import { type Comparison, type Figure, holds } from './figure.ts';
import type { Measured } from './main.ts';

/** All figures as one table; a figure that is compared with several others goes on in the lines below it. */
export function report(measured: Measured): string {
  const { machine, rows } = measured;
  const head = Object.entries(machine).map(([key, value]) => `${`${key}:`.padEnd(11)}${value}`);
  const lines = rows.flatMap(({ title, seconds, figures, failure }) => [
    [''],
    [`${title} (${seconds.toFixed(0)} s)`],
    ...(failure === undefined ? [] : [[`  can't be measured: ${failure}`]]),
    ...figures.flatMap(linesOf),
  ]);
  const header = ['', 'MEDIAN', 'P10–P90', 'SAMPLES', 'COMPARED', 'TARGET'];
  return [...head, ...layOut([header, ...lines])].join('\n');
}

function linesOf(figure: Figure): string[][] {
  const { what, unit, low, high, samples, comparisons } = figure;
  const spread = samples > 1 ? `${show(low)}–${show(high)}` : '';
  const first = [`  ${what}`, `${show(figure.median)} ${unit}`.trimEnd(), spread, String(samples)];
  if (comparisons.length === 0) return [first];
  return comparisons.map((each, index) => [...(index === 0 ? first : ['', '', '', '']), ...compared(each)]);
}

function compared(comparison: Comparison): [string, string] {
  const { value, unit, to, target } = comparison;
  const text = unit === '' ? `${value.toFixed(2)} ${to}` : `${show(value)} ${unit} ${to}`;
  if (target === undefined) return [text, ''];
  const bound = target.bound === 'at most' ? '≤' : '≥';
  return [text, `${bound} ${target.value} ${unit}`.trimEnd() + (holds(comparison) ? ' ok' : ' MISSED')];
}

/** Three significant digits: more would only show noise. */
function show(value: number): string {
  const digits = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2;
  return value.toFixed(digits);
}

/** Columns two spaces apart; a line of one cell is a heading and widens nothing. */
function layOut(lines: readonly (readonly string[])[]): string[] {
  const cells = lines.filter(line => line.length > 1);
  const widths = [0, 1, 2, 3, 4, 5].map(column =>
    Math.max(...cells.map(line => (line[column] ?? '').length)),
  );
  return lines.map(line =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
