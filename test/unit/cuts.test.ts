import { expect } from 'chai';
import { cutsIn } from '../../src/firewall/foreign/cuts.ts';
import { parseTables } from '../../src/firewall/foreign/parse-nft.ts';

const DROP = { drop: null };
const from = (device: string) => ({
  match: { op: '==', left: { meta: { key: 'iifname' } }, right: device },
});
const to = (address: string) => ({
  match: { op: '==', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: address },
});

/** What nft prints of one table with one chain. */
const listing = (family: string, chain: object, ...rules: readonly (readonly object[])[]): string => {
  const own = { family, table: 't' };
  return JSON.stringify({
    nftables: [
      { table: { family, name: 't', handle: 1 } },
      { chain: { ...own, name: 'c', handle: 1, type: 'filter', prio: 0, policy: 'accept', ...chain } },
      ...rules.map((expr, handle) => ({ rule: { ...own, chain: 'c', handle, expr } })),
    ],
  });
};
const found = (text: string) =>
  cutsIn(parseTables(text)).map(({ families, devices }) => ({ families, devices }));
const ALL = [{ families: [4, 6], devices: undefined }];

describe("another program's chain", () => {
  it('lets nothing pass if its policy drops, or a rule of no condition', () => {
    expect(found(listing('bridge', { hook: 'input', policy: 'drop' }))).to.deep.equal(ALL);
    expect(found(listing('bridge', { hook: 'output' }, [{ counter: null }, DROP]))).to.deep.equal(ALL);
    expect(
      found(listing('inet', { hook: 'prerouting', policy: 'drop' }, [to('10.0.0.1'), DROP])),
    ).to.deep.equal(ALL);
    expect(found(listing('arp', { hook: 'input', policy: 'drop' }))).to.deep.equal([
      { families: [4], devices: undefined },
    ]);
  });

  it('is of the interfaces that it names or is bound to', () => {
    const bound = { hook: 'ingress', dev: 'vnet3', policy: 'drop' };
    expect(found(listing('netdev', bound))).to.deep.equal([{ families: [4, 6], devices: ['vnet3'] }]);
    expect(found(listing('netdev', { ...bound, dev: ['eth0', 'vnet3'] }))).to.deep.equal([
      { families: [4, 6], devices: ['eth0', 'vnet3'] },
    ]);
    expect(found(listing('bridge', { hook: 'input' }, [from('vnet*'), DROP]))).to.deep.equal([
      { families: [4, 6], devices: ['vnet*'] },
    ]);
  });

  it('is not judged where it may let something pass, or sees nothing of domains', () => {
    const strict = { hook: 'input', policy: 'drop' };
    for (const text of [
      listing('bridge', { hook: 'input' }),
      listing('bridge', { hook: 'input' }, [to('10.0.0.1'), DROP]),
      listing('bridge', strict, [from('vnet3'), { accept: null }]),
      listing('bridge', strict, [{ jump: { target: 'other' } }]),
      // Between ports of one bridge, of which ours have one.
      listing('bridge', { hook: 'forward', policy: 'drop' }),
      listing('bridge', { ...strict, type: 'nat' }),
      // These are led around: passages.ts.
      listing('inet', { hook: 'forward', policy: 'drop' }),
      listing('ip', strict),
    ])
      expect(found(text), text).to.deep.equal([]);
  });

  it('sleeps with its table', () => {
    const text = listing('bridge', { hook: 'input', policy: 'drop' });
    expect(found(text.replace('"name":"t"', '"name":"t","flags":["dormant"]'))).to.deep.equal([]);
  });
});
