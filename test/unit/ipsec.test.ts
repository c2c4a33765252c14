import { expect } from 'chai';
import fc from 'fast-check';
import { toPolicies } from '../../src/host/observe/ipsec.ts';
import { format } from '../../src/model/address.ts';
import { hostile } from '../support/arbitrary.ts';

/** As iproute2 6.1 prints them: of everything, for one kind of packets, marked, of a socket, and that can be done without. */
const LISTED = `src ::/0 dst ::/0 
	dir out action block priority 0 ptype main 
src 10.1.0.0/16 dst 10.2.0.0/16 proto tcp dport 80 dev lo 
	dir in priority 0 ptype main 
src 10.1.0.0/16 dst 0.0.0.0/0 
	dir out priority 5 ptype main 
	mark 0x5/0xffffffff 
	tmpl src 1.2.3.4 dst 5.6.7.8
		proto esp reqid 1 mode tunnel
src 0.0.0.0/0 dst 0.0.0.0/0 dev eth0 
	dir fwd priority 375423 ptype main 
	tmpl src 1.2.3.4 dst 5.6.7.8
		proto esp spi 0xcafe0001 reqid 1 mode tunnel
src 10.8.0.0/24 dst 0.0.0.0/0 
	dir fwd priority 7 ptype main 
	tmpl src 0.0.0.0 dst 0.0.0.0
		proto comp reqid 0 mode transport
		level use 
src 0.0.0.0/0 dst 0.0.0.0/0 
	socket in priority 0 ptype main 
`;

describe('policies of IPsec', () => {
  it('are read where they may take any packet', () => {
    const read = toPolicies(LISTED).map(({ from, to, words, ...rest }) => ({
      ...rest,
      range: `${format(from)} ${format(to)}`,
    }));
    expect(read).to.deep.equal([
      { direction: 'out', priority: 0, device: undefined, does: 'block', range: '::/0 ::/0' },
      { direction: 'fwd', priority: 375423, device: 'eth0', does: 'wrap', range: '0.0.0.0/0 0.0.0.0/0' },
      { direction: 'fwd', priority: 7, device: undefined, does: 'pass', range: '10.8.0.0/24 0.0.0.0/0' },
    ]);
  });

  it('are none where the text makes no sense, whatever it is', () => {
    fc.assert(fc.property(hostile, text => Array.isArray(toPolicies(text))));
    for (const odd of ['', 'src 1.2.3.4', 'src x dst y \n\tdir fwd action block priority 0 \n'])
      expect(toPolicies(odd)).to.deep.equal([]);
  });
});
