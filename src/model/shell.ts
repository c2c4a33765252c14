/** A word as a shell takes it for one, whatever it holds. */
export const shellWord = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
