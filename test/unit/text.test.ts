import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { type KnownDomain, pick } from '../../src/libvirt/libvirt.ts';
import { exactJson, readableJson } from '../../src/model/json.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { printable, quote, visible } from '../../src/model/refusal.ts';
import { shellWord } from '../../src/model/shell.ts';
import { refusalOf } from '../support/refused.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins a colour
const COLOUR = /\x1b\[\d{1,2}m/g;

describe('text for people', () => {
  it('shows what would move the cursor, or turn the direction of writing', () => {
    expect(visible('a\u001b[31m\u009b\u007f\r')).to.equal('a\\u001b[31m\\u009b\\u007f\\r');
    for (const character of '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
      expect(visible(character)).to.match(/^\\u[0-9a-f]{4}$/);
    expect(quote('vm\u202e1')).to.equal('"vm\\u202e1"');
  });

  it('leaves letters of any script, combining marks and emoji', () => {
    for (const text of ['Büro 2', 'Bu\u0308ro', '服务器', 'خادم', '👩‍💻'])
      expect(visible(text)).to.equal(text);
  });

  it('is one word for a shell, whatever it holds', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...'\'"\\$`(){}*? \n;&|<>~#!-aü') });
    fc.assert(
      fc.property(nasty, text => {
        const printed = execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' });
        expect(printed).to.equal(text);
      }),
      { numRuns: 20 },
    );
  });

  it('is JSON where there are bigints: exact for us, numbers for others', () => {
    expect(exactJson({ a: 2n ** 64n, b: [1] })).to.equal('{"a":"18446744073709551616","b":[1]}');
    expect(JSON.parse(readableJson({ a: 5n, b: null }))).to.deep.equal({ a: 5, b: null });
  });
});

describe('a domain that nobody knows', () => {
  const names = ['web1', 'web-frontend', 'mail', 'Datenbank', 'x'];
  const domains = names.map((name, index): KnownDomain => {
    const domain = parseDomain(
      `<domain><name>${name}</name><uuid>00000000-0000-4000-8000-00000000000${index}</uuid></domain>`,
    );
    return { domain, persistent: domain, next: domain, active: false };
  });
  for (const [wanted, hint] of [
    ['web', 'did you mean "web1" or "web-frontend"?'],
    ['mial', 'did you mean "mail"?'],
    ['mai', 'did you mean "mail"?'],
    ['nail', 'did you mean "mail"?'],
    ['datenbnak', 'did you mean "Datenbank"?'],
    ['win11', 'virsh list --all shows them'],
  ] as const)
    it(`"${wanted}": ${hint}`, () => {
      expect(refusalOf(() => pick(domains, wanted))).to.equal(
        `Cannot find a domain ${quote(wanted)}; ${hint}`,
      );
    });

  it('leaves nothing to a terminal but line, tab and colour, whatever is printed', () => {
    const wild = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(wild, text => {
        expect(
          printable(text)
            .replaceAll(COLOUR, '')
            .replaceAll(/[\n\t]/g, ''),
        ).not.to.match(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
        expect(JSON.parse(visible(JSON.stringify(text)))).to.equal(text);
      }),
    );
    const odd = '\u009b31m\u202e\u2066\u200b\ufeff\u2028\u{e0041}\u001b]0;x\u0007';
    expect(printable(odd)).to.match(/^[ -~]*$/);
  });
});
