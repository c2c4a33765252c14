/** A word as a shell takes it for one, whatever it holds. */
export const shellWord = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** A command line as one would type it: only words are quoted that the shell would take for something else. */
export const commandLine = (words: readonly string[]): string =>
  words.map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : shellWord(word))).join(' ');
