import { visible } from '../model/refusal.ts';

/** A cell and the colour it takes on a terminal. */
export type Cell = string | { readonly text: string; readonly colour: Colour };
export type Colour = 'green' | 'red' | 'yellow' | 'dim';

const CODES: Readonly<Record<Colour, number>> = { green: 32, red: 31, yellow: 33, dim: 2 };

/** Lays out rows in columns of equal width, two spaces apart; control characters of a cell are made visible. */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  colour: boolean,
): string[] {
  const texts = [header, ...rows.map(row => row.map(textOf))];
  const widths = header.map((_, column) => Math.max(...texts.map(row => (row[column] ?? '').length)));
  return [header, ...rows].map(row =>
    row
      .map((cell, column) => paint(cell, textOf(cell).padEnd(widths[column] ?? 0), colour))
      .join('  ')
      .trimEnd(),
  );
}

function textOf(cell: Cell): string {
  const text = typeof cell === 'string' ? cell : cell.text;
  // A domain may be called anything, escape sequences for the terminal included.
  return visible(text);
}

function paint(cell: Cell, padded: string, colour: boolean): string {
  return colour && typeof cell !== 'string' ? `\u001b[${CODES[cell.colour]}m${padded}\u001b[0m` : padded;
}
