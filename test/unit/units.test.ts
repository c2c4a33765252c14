import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const UNITS = new URL('../../units/', import.meta.url);

/** From the comment that begins it to the end of the section. */
function sandboxOf(name: string): string {
  const text = readFileSync(new URL(name, UNITS), 'utf8');
  return /# The sandbox is [\s\S]*?(?=\n\n\[|\n$)/.exec(text)?.[0] ?? '';
}

describe('units', () => {
  it('have one sandbox', () => {
    const sandboxes = readdirSync(UNITS)
      .filter(name => name.endsWith('.service'))
      .map(sandboxOf);
    expect(sandboxes).to.have.length(4);
    expect(sandboxes[0]).to.contain('\nProtectSystem=strict\n');
    expect(new Set(sandboxes).size).to.equal(1);
  });
});
