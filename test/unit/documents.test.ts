import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** CONTRIBUTING.md promises it. */
const WIDTH = 120;

const NOT_OURS = new Set(['node_modules', 'dist', '.cache', '.git']);

const PAGES = readdirSync(ROOT, { withFileTypes: true }).flatMap(entry => {
  if (!entry.isDirectory()) return entry.name.endsWith('.md') ? [entry.name] : [];
  return NOT_OURS.has(entry.name) || entry.name.startsWith('dist.')
    ? []
    : readdirSync(join(ROOT, entry.name), { recursive: true, encoding: 'utf8' })
        .filter(name => name.endsWith('.md'))
        .map(name => join(entry.name, name));
});
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

/** The lines of a page with their numbers, without blocks of code and tables. */
function proseOf(name: string): { readonly text: string; readonly number: number }[] {
  let isCode = false;
  return read(name)
    .split('\n')
    .map((text, at) => ({ text, number: at + 1 }))
    .filter(({ text }) => {
      if (/^\s*```/.test(text)) isCode = !isCode;
      return !isCode && !/^\s*\|/.test(text);
    });
}

/** Whether a line could be shorter: links and code aren't parted. */
const couldBreak = (text: string): boolean =>
  text
    .replaceAll(/\[[^\]]*\]\([^)]*\)|`[^`]*`/g, 'x')
    .trim()
    .includes(' ');

describe('the documents', () => {
  it(`have at most ${WIDTH} characters in a line, but for tables, code and links`, () => {
    const long = PAGES.flatMap(name =>
      proseOf(name)
        .filter(({ text }) => text.length > WIDTH && couldBreak(text))
        .map(({ number }) => `${name}:${number}`),
    );
    expect(long).to.deep.equal([]);
  });

  it('decisions say what, why, and what was measured', () => {
    const decisions = PAGES.filter(one => /^docs\/decisions\/\d{4}-/.test(one));
    expect(decisions).to.have.length.above(50);
    for (const name of decisions) {
      const text = read(name);
      const number = /\d{4}/.exec(name)?.[0];
      expect(text).to.match(
        new RegExp(`^# ${number}\\. .+\n\nDate: 20\\d\\d-\\d\\d-\\d\\d.* · Status: `),
        name,
      );
      expect(text, name).to.match(/^## What\b/m);
      expect(text, name).to.match(/^## (Why\b|What, and why each)/m);
      expect(text, name).to.match(/^## (What was measured|What it costs|Measured)/m);
    }
  });
});
