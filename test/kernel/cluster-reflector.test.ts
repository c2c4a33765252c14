import { expect } from 'chai';
import { hostBird, type Speaker } from '../lab/cluster/bird.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { onWire } from '../support/peers.ts';

const POOLS = ['123.45.90.112/29', '2001:db8:12:48::/64'];
const VM = ['123.45.90.116', '2001:db8:12:48::116'] as const;

describe('a host that hands on to all others what each tells it', () => {
  let lab: Lab;
  let hosts: readonly Host[];

  before(async () => {
    lab = await Lab.create();
    hosts = await Promise.all([1, 2, 3].map(number => lab.host(`h${number}`, { wired: true, pools: [] })));
    const all: Speaker[] = hosts.map(({ name, address }, index) => ({
      name,
      address,
      wire: { address: onWire(index + 1), address6: onWire(index + 1, 6) },
    }));
    for (const [index, host] of hosts.entries()) {
      const [self] = all.slice(index);
      if (self === undefined) throw new Error('a host has no place on the wire');
      const peers = all.filter(one => one !== self);
      await host.write(
        '/run/bird.conf',
        hostBird({ host: self, peers, pools: POOLS, upstream: false, reflectors: ['h1'] }),
      );
      await host.sh(
        'ip link add br116 type bridge; ip link set br116 up; bird -c /run/bird.conf -s /run/bird.ctl',
      );
    }
  });
  after(() => lab.remove());

  const ctl = (number: number, ...words: string[]): Promise<string> =>
    at(number).run(['birdc', '-s', '/run/bird.ctl', ...words]);
  function at(number: number): Host {
    const host = hosts[number - 1];
    if (host === undefined) throw new Error(`there is no host ${number}`);
    return host;
  }
  /** Where a host sends what is for the VM. */
  const way = async (number: number, address: string): Promise<string> =>
    (await at(number).attempt(['ip', 'route', 'get', address])).stdout;

  it('has a session with each of them, and they have one with it alone', async () => {
    const sessions = async (number: number): Promise<string[]> =>
      [...(await ctl(number, 'show', 'protocols')).matchAll(/^(h\d_\d) .*Established/gm)].map(
        ([, name]) => name ?? '',
      );
    for (const [number, names] of [
      [1, ['h2_4', 'h3_4', 'h2_6', 'h3_6']],
      [2, ['h1_4', 'h1_6']],
      [3, ['h1_4', 'h1_6']],
    ] as const) {
      await until(
        async () => (await sessions(number)).length === names.length,
        PATIENCE,
        `h${number}'s sessions`,
      );
      expect(await sessions(number)).to.deep.equal(names);
    }
  });

  it('names who has an address, so packets do not go by it; and an address that moves is followed', async () => {
    for (const [place, address] of VM.entries()) {
      const family = place === 0 ? 4 : 6;
      const route = (number: number, verb: string, metric: number): Promise<string> =>
        at(number).run(['ip', 'route', verb, address, 'dev', 'br116', 'proto', '104', 'metric', `${metric}`]);
      const leads = (from: number, to: number): Promise<unknown> =>
        until(
          async () => (await way(from, address)).includes(`via ${onWire(to, family)} dev eth1`),
          PATIENCE,
          `h${from} to send what is for ${address} to h${to}`,
        );
      await route(2, 'add', 100);
      for (const from of [1, 3]) await leads(from, 2);
      // A move from h2 to h3, as model/move.ts has it.
      await route(3, 'add', 175);
      await route(2, 'add', 190);
      await route(2, 'delete', 100);
      for (const from of [1, 2]) await leads(from, 3);
      await route(3, 'add', 50);
      await route(3, 'delete', 175);
      await route(2, 'delete', 190);
      for (const from of [1, 2]) await leads(from, 3);
    }
  });
});
