/** What `hnet complete` prints: the only thing that hnet tells a user who isn't an administrator. */

export interface Offer {
  readonly word: string;
  /** Empty where the word says it all. */
  readonly meaning: string;
}

/** A line for each, with a tab between the word and its meaning. */
export const readOffers = (output: string): Offer[] =>
  output
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [word = '', meaning = ''] = line.split('\t');
      return { word, meaning };
    });
