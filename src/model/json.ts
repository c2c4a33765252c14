/** JSON of values that hold bigints, which JSON.stringify refuses. */

/** For our own eyes, on one line: bigints become strings, which lose nothing. */
export const exactJson = (value: unknown): string =>
  JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one));

/** For other people's programs: bigints become numbers. */
export const readableJson = (value: unknown): string => JSON.stringify(value, numbers, 2);

/** The same on one line. */
export const lineJson = (value: unknown): string => JSON.stringify(value, numbers);

const numbers = (_: string, one: unknown): unknown => (typeof one === 'bigint' ? Number(one) : one);
