import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { format } from '../../src/model/address.ts';
import { parseConfig } from '../../src/model/parse-config.ts';

const TEXT = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');
const sections = TEXT.split(/^## /m).slice(1);

/** What docs/providers.md shows is what the kernel's tests use: test/kernel/uplinks.test.ts has a host of each kind. */
describe('the configurations of docs/providers.md', () => {
  const found = sections.flatMap(section => {
    const [title = ''] = section.split('\n');
    return [...section.matchAll(/```toml\n([\s\S]*?)```/g)].map(([, toml = '']) => ({ title, toml }));
  });

  it('are one for each kind of server', () => {
    expect(found.map(({ title }) => title)).to.deep.equal([
      'Routed addresses',
      'Addresses on the wire',
      'A subnet on a VLAN',
      'Colocation',
      'A subnet by a tunnel',
      'IPv6 alone',
      'Several interfaces',
      'At home',
    ]);
  });

  for (const { title, toml } of found)
    it(`can be read: ${title}`, () => {
      const { uplinks, pools } = parseConfig(toml);
      expect(uplinks[0].devices).not.to.deep.equal([]);
      expect(uplinks.flatMap(one => one.pools.map(format))).to.deep.equal(pools.map(format));
      expect(pools).not.to.deep.equal([]);
    });

  it('are named in the table, each by its section', () => {
    const [head = ''] = TEXT.split(/^## /m);
    for (const { title } of found) expect(head).to.contain(`[${title}](#`);
  });
});
