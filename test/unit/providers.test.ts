import { expect } from 'chai';
import { format } from '../../src/model/address.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { CHAPTERS, GUIDE, HNET_TOML, INTERFACES } from '../support/guide.ts';
import { PROVIDERS } from '../support/providers.ts';

/** test/kernel/providers.test.ts runs each of them. */
describe('the kinds of server in docs/providers.md', () => {
  const titles = CHAPTERS.map(({ title }) => title);

  it('are each in the table, and have a provider in the lab', () => {
    const [head = ''] = GUIDE.split(/^## /m);
    const links = [...head.matchAll(/\[([^\]]+)\]\(#([^)]+)\)/g)];
    expect(links.map(([, title]) => title)).to.deep.equal(titles);
    for (const [, title = '', anchor] of links)
      expect(anchor).to.equal(title.toLowerCase().replaceAll(' ', '-'));
    expect(Object.keys(PROVIDERS)).to.have.members(titles);
  });

  for (const { title, files, commands, seen } of CHAPTERS)
    it(`have files, commands and what is seen: ${title}`, () => {
      expect([...files.keys()]).to.have.members([INTERFACES, HNET_TOML]);
      const { uplinks, pools } = parseConfig(files.get(HNET_TOML) ?? '');
      expect(uplinks[0].devices).not.to.deep.equal([]);
      expect(uplinks.flatMap(one => one.pools.map(format))).to.deep.equal(pools.map(format));
      expect(commands[0]).to.equal('sudo hnet sync');
      expect(commands.slice(1).every(command => command.startsWith('sudo hnet assign vm'))).to.equal(true);
      expect(seen.map(({ command }) => command)).to.include.members(['hnet doctor', 'hnet check']);
    });
});
