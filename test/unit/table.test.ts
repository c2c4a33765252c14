import { expect } from 'chai';
import fc from 'fast-check';
import { table } from '../../src/cli/table.ts';

/** Any character below 256, and those are the ones that a terminal may obey. */
const cell = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map(code => String.fromCharCode(code)) });

describe('table', () => {
  it('lays out columns of equal width', () => {
    expect(
      table(
        ['DOMAIN', 'IP'],
        [
          ['vm1', '1.2.3.4'],
          ['long-name', { text: 'x', colour: 'red' }],
        ],
        false,
      ),
    ).to.deep.equal(['DOMAIN     IP', 'vm1        1.2.3.4', 'long-name  x']);
  });

  it('puts numbers and amounts at the right, with their headings', () => {
    expect(
      table(
        ['#', 'RULE', 'BYTES', 'SIZE'],
        [
          [1, 'allow tcp/22', 12345n, { amount: '12 KiB' }],
          ['', 'default deny', 0n, { amount: '0 B' }],
        ],
        false,
      ),
    ).to.deep.equal([
      '#  RULE          BYTES    SIZE',
      '1  allow tcp/22  12345  12 KiB',
      '   default deny      0     0 B',
    ]);
  });

  it('shows control characters instead of obeying them', () => {
    const [, row] = table(['A', 'B'], [['a\nb\u001b[2J\u0007\u009b', 'x']], false);
    expect(row).to.equal('a\\nb\\u001b[2J\\u0007\\u009b  x');
  });

  it('counts the columns that a terminal gives to a text', () => {
    const names = { 'vm-1': 4, 服务器: 6, Büro: 4, 'Bu\u0308ro': 4, '🚀': 2, '👩‍💻x': 3, ｱ: 1, '': 0 };
    const lines = table(
      ['NAME', 'IP'],
      Object.keys(names).map(name => [name, '1.2.3.4']),
      false,
    );
    expect(lines).to.deep.equal([
      'NAME    IP',
      ...Object.entries(names).map(([name, width]) => `${name}${' '.repeat(8 - width)}1.2.3.4`),
    ]);
  });

  it('colours cells, and never lets a domain do so', () => {
    const [, row] = table(['A'], [[{ text: 'ok\u001b[31m', colour: 'green' }]], true);
    expect(row).to.equal('\u001b[32mok\\u001b[31m\u001b[39m');
  });

  it('is as many lines as it has rows, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { maxLength: 20 }), rows => {
        const lines = table(['A', 'B'], rows, false);
        expect(lines).to.have.length(rows.length + 1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        for (const line of lines) expect(line).not.to.match(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});
