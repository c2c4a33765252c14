import { expect } from 'chai';
import { Refusal, reason } from '../../src/model/refusal.ts';

/** What a call refuses, as its user sees it; anything but a Refusal is a bug, and no refusal at all is one too. */
export function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const text = reason(error);
    expect(text, 'a message is one line').not.to.match(/[\n\r]/);
    expect(text).not.to.equal('');
    return text;
  }
  throw new Error('nothing was refused');
}

/** For arbitrary input: done, or refused in one line, and nothing else. */
export function doneOrRefused(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    refusalOf(() => {
      throw error;
    });
  }
}
