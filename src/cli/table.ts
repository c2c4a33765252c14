import { styleText } from 'node:util';
import stringWidth from 'string-width';
import { visible } from '../model/refusal.ts';

/** A cell, and the colour it takes on a terminal. What is a number, or an amount, stands at the right of its column. */
export type Cell = string | number | bigint | Painted | Amount;
export type Colour = 'green' | 'red' | 'yellow' | 'dim';

interface Painted {
  readonly text: string;
  readonly colour: Colour;
}

/** A number with its unit: "1.3 KiB". */
interface Amount {
  readonly amount: string;
}

/**
 * Lays out rows in columns of equal width, two spaces apart; control characters of a cell are made visible. The heading of
 * a column of numbers stands at its right too.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  colour: boolean,
): string[] {
  const columns = header.map((title, place) => {
    const cells = rows.map(row => row[place] ?? '');
    const width = Math.max(...[title, ...cells].map(cell => stringWidth(textOf(cell))));
    return { width, isNumeric: cells.length > 0 && cells.every(cell => isNumber(cell) || cell === '') };
  });
  return [header, ...rows].map((row, line) =>
    columns
      .map(({ width, isNumeric }, place) => {
        const cell = row[place] ?? '';
        return paint(cell, pad(textOf(cell), width, line === 0 ? isNumeric : isNumber(cell)), colour);
      })
      .join('  ')
      .trimEnd(),
  );
}

const isNumber = (cell: Cell): boolean =>
  typeof cell === 'number' || typeof cell === 'bigint' || (typeof cell === 'object' && 'amount' in cell);

/** A domain's name may hold anything, escape sequences for the terminal included. */
function textOf(cell: Cell): string {
  if (typeof cell !== 'object') return visible(String(cell));
  return visible('amount' in cell ? cell.amount : cell.text);
}

/** A Chinese character takes two columns of the terminal, a combining accent none. */
function pad(text: string, width: number, isAtRight: boolean): string {
  const space = ' '.repeat(width - stringWidth(text));
  return isAtRight ? space + text : text + space;
}

/** The caller knows whether the terminal takes colours: Node needn't look at it again. */
const paint = (cell: Cell, padded: string, colour: boolean): string =>
  colour && typeof cell === 'object' && 'colour' in cell
    ? styleText(cell.colour, padded, { validateStream: false })
    : padded;
