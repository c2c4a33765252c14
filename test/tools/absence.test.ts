import { expect } from 'chai';
import { forgetFlows } from '../../src/host/flows.ts';
import { parsePrefix } from '../../src/model/address.ts';
import {
  type Action,
  type Batch,
  type BatchTool,
  batches,
  ip,
  ipset,
  nft,
} from '../../src/resources/action.ts';
import { refusalOf } from '../support/refused.ts';
import { ElsewhereHost } from './elsewhere.ts';

/** There is a bridge, a set, and a table with a chain, a set and a map. */
const SETUP = `
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ipset create here hash:net counters
nft add table ip here
nft add chain ip here own
nft add set ip here addresses '{ type ipv4_addr; }'
nft add set ip here subnets '{ type ipv4_addr; flags interval; }'
nft add map ip here chains '{ type ipv4_addr : verdict; }'
`;

/** What hnet removes, each of it absent, in the words in which hnet removes it. */
const REMOVALS = [
  ip('link', 'delete', 'dev', 'none'),
  ip('link', 'set', 'dev', 'none', 'down'),
  ip('link', 'set', 'dev', 'none', 'name', 'hnet-leaving'),
  ip('address', 'delete', '172.30.116.1/24', 'dev', 'none'),
  ip('address', 'delete', '172.30.116.1/24', 'dev', 'br0'),
  ip('address', 'delete', 'fe80::1/64', 'dev', 'br0'),
  ip('route', 'delete', '123.45.90.116/32', 'dev', 'none', 'proto', '104'),
  ip('route', 'delete', '123.45.90.116/32', 'dev', 'br0', 'proto', '104'),
  ip('route', 'delete', '2001:db8::116/128', 'dev', 'br0', 'metric', '100', 'proto', '104'),
  ip('route', 'delete', 'blackhole', '123.45.90.112/29', 'metric', '1000000', 'proto', '104'),
  ip('route', 'delete', 'unreachable', '2001:db8::/64', 'metric', '200', 'proto', '104'),
  ip('neigh', 'delete', 'proxy', '2001:db8::116', 'dev', 'br0'),
  ip('neigh', 'delete', 'proxy', '2001:db8::116', 'dev', 'none'),
  ipset('destroy', 'none'),
  ipset('del', 'none', '123.45.90.116/32'),
  ipset('del', 'here', '123.45.90.116/32'),
  nft('delete', 'table', 'ip none'),
  nft('delete', 'chain', 'ip here', 'none'),
  nft('delete', 'chain', 'ip none', 'own'),
  nft('flush', 'chain', 'ip here', 'none'),
  nft('delete', 'element', 'ip here', 'addresses', '{ 123.45.90.116 }'),
  nft('delete', 'element', 'ip here', 'subnets', '{ 123.45.90.112/29 }'),
  nft('delete', 'element', 'ip here', 'chains', '{ 123.45.90.116 }'),
  nft('delete', 'element', 'ip here', 'addresse', '{ 123.45.90.116 }'),
  nft('delete', 'element', 'ip none', 'addresses', '{ 123.45.90.116 }'),
  nft('delete', 'rule', 'ip here', 'own', 'handle', '99'),
];

const WRONG: Readonly<Record<BatchTool, string>> = {
  ip: 'link delete dev lo',
  ipset: 'del here nonsense',
  nft: 'delete table ip',
};

describe('the installed tools, told to remove what is absent', () => {
  let host: ElsewhereHost;
  before(async () => {
    host = await ElsewhereHost.create(SETUP);
  });
  after(() => host?.end());

  for (const batch of batches(REMOVALS).flatMap(apart)) {
    it(`${batch.tool} ${batch.lines.join()}`, () => {
      host.perform(batch, true);
    });
  }

  it('ip goes on with its batch, though `ip neigh` ends it', () => {
    const lines = [...REMOVALS.filter(isNeighbour), ip('link', 'delete', 'dev', 'br1')];
    host.run(['ip', 'link', 'add', 'br1', 'type', 'bridge']);
    for (const batch of batches(lines)) host.perform(batch, true);
    expect(refusalOf(() => host.run(['ip', 'link', 'show', 'br1']))).to.contain('does not exist');
  });

  it('conntrack', () => {
    for (const text of ['123.45.90.116', '2001:db8::116']) forgetFlows(parsePrefix(text), host);
  });

  for (const [tool, line] of Object.entries(WRONG) as [BatchTool, string][]) {
    it(`${tool} still fails at anything else`, () => {
      expect(refusalOf(() => host.perform({ kind: 'lines', tool, lines: [line] }, true))).to.contain(tool);
    });
  }
});

const isNeighbour = (action: Action): boolean => action.kind === 'line' && action.words[0] === 'neigh';

/** A batch of one line for each line. */
function apart(batch: Batch): Extract<Batch, { kind: 'lines' }>[] {
  return batch.kind === 'lines' ? batch.lines.map(line => ({ ...batch, lines: [line] })) : [];
}
