import { expect } from 'chai';
import { setNames, setSpecs } from '../../src/firewall/rules/sets.ts';
import { FAMILIES } from '../../src/model/prefix.ts';
import { lastingSets } from '../../src/repair/pulse.ts';

/** As ipset 7.17 prints them. */
const printed = (entries: number): string =>
  FAMILIES.flatMap(family => setSpecs(family, setNames(family), 'mangle'))
    .map(({ name, timeout, counters }) =>
      [
        `Name: ${name}`,
        'Type: hash:net',
        'Revision: 7',
        `Header: family inet hashsize 1024 maxelem 262144${timeout === undefined ? '' : ` timeout ${timeout}`}${counters ? ' counters' : ''} bucketsize 12 initval 0x96c6f085`,
        'Size in memory: 456',
        'References: 2',
        `Number of entries: ${timeout ? entries : 1}`,
      ].join('\n'),
    )
    .join('\n\n');

describe('what the daemon reads every second of the sets', () => {
  it('is the same whatever packets have added to them', () => {
    expect(lastingSets(printed(7))).to.equal(lastingSets(printed(0)));
  });

  it('is another where an entry of a domain is gone', () => {
    const lost = printed(0).replace('Number of entries: 1', 'Number of entries: 0');
    expect(lastingSets(lost)).not.to.equal(lastingSets(printed(0)));
  });
});
