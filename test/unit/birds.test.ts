import { expect } from 'chai';
import { lostSessions } from '../../src/cluster/apart.ts';
import { parseProtocols } from '../../src/cluster/birds.ts';
import { parseAddress } from '../../src/model/address.ts';

/** As BIRD 2.0.12 prints it, of a host with two peers of which one is cut off. */
const SHOWN = `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     21:47:00.101  

bfd1       BFD        ---        up     21:47:00.101  

kernel4    Kernel     master4    up     21:47:00.101  
  Channel ipv4
    State:          UP
    Table:          master4
    Preference:     10
    Input filter:   hnet4
    Output filter:  (unnamed)

h2_4       BGP        ---        up     21:47:02.384  Established   
  BGP state:          Established
    Neighbor address: 10.9.0.2
    Neighbor AS:      65000
    Local AS:         65000

h3_4       BGP        ---        start  2026-11-28 21:47:01  Active        Socket: Connection refused
  BGP state:          Active
    Neighbor address: 10.9.0.3
    Neighbor AS:      65000
`;

const peer = (number: number, isUp: boolean) => ({
  host: `h${number}`,
  wire: [parseAddress(`10.9.0.${number}`), parseAddress(`fd00:9::${number}`)],
  uplinks: [],
  uuid: undefined,
  version: '',
  filter: '',
  pools: '',
  scopes: '',
  seen: '2026-11-28T21:40:00.000Z',
  isUp,
});

describe('what BIRD says', () => {
  it('is read: protocols, and who is at the other end of a session', () => {
    const found = parseProtocols(SHOWN);
    expect(found.map(({ name, kind, isEstablished }) => [name, kind, isEstablished])).to.deep.equal([
      ['device1', 'Device', false],
      ['bfd1', 'BFD', false],
      ['kernel4', 'Kernel', false],
      ['h2_4', 'BGP', true],
      ['h3_4', 'BGP', false],
    ]);
    expect(found.at(-1)).to.include({ neighbour: '10.9.0.3', state: 'start' });
  });

  it('tells from which hosts this one is cut off, and why; of one without a session nothing is expected', () => {
    const apart = lostSessions([peer(2, true), peer(3, false), peer(4, true)], parseProtocols(SHOWN));
    expect(apart.map(({ why }) => why)).to.deep.equal([
      'no session with h3 (h3_4 to 10.9.0.3 is start, Active: Socket: Connection refused); it is down, or cut off, since 2026-11-28T21:40:00.000Z',
    ]);
    expect(lostSessions([peer(2, true)], undefined)[0]?.why).to.contain('it does not run here');
  });
});
