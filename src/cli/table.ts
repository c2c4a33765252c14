import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { visible } from '../model/refusal.ts';

/** A cell and the colour it takes on a terminal. */
export type Cell = string | { readonly text: string; readonly colour: Colour };
export type Colour = 'green' | 'red' | 'yellow' | 'dim';

/** Lays out rows in columns of equal width, two spaces apart; control characters of a cell are made visible. */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  colour: boolean,
): string[] {
  const texts = [header, ...rows.map(row => row.map(textOf))];
  const widths = header.map((_, column) => Math.max(...texts.map(row => stringWidth(row[column] ?? ''))));
  return [header, ...rows].map(row =>
    row
      .map((cell, column) => paint(cell, pad(textOf(cell), widths[column] ?? 0), colour))
      .join('  ')
      .trimEnd(),
  );
}

/** A domain's name may hold anything, escape sequences for the terminal included. */
const textOf = (cell: Cell): string => visible(typeof cell === 'string' ? cell : cell.text);

/** A Chinese character takes two columns of the terminal, a combining accent none. */
const pad = (text: string, width: number): string => text + ' '.repeat(width - stringWidth(text));

/** The caller knows whether the terminal takes colours: Node needn't look at it again. */
const paint = (cell: Cell, padded: string, colour: boolean): string =>
  colour && typeof cell !== 'string' ? styleText(cell.colour, padded, { validateStream: false }) : padded;
