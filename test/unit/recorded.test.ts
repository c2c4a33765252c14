import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { firewallOf } from '../../src/host/choose-backend.ts';
import { toLinks, toRoutesOf, toRules } from '../../src/host/observe/ip.ts';
import { parseListener } from '../../src/host/observe/listeners.ts';
import { format } from '../../src/model/address.ts';
import type { Recorded } from './recorded/questions.ts';

/** What the tools of each release print on a host with one running domain, as recorded/record.ts has recorded it. */
for (const release of [12, 13])
  for (const backend of ['iptables', 'nftables'] as const)
    describe(`what the tools of Debian ${release} print, with ${backend}`, () => {
      const file = new URL(`recorded/debian-${release}.json`, import.meta.url);
      const all = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Recorded>;
      const recorded = all[backend];
      if (recorded === undefined) throw new Error(`${file} has nothing of ${backend}`);
      const answers = (name: string) => JSON.parse(recorded.ip[name] ?? '') as unknown[];

      it('is read as the sets, chains and rules of the domain', () => {
        const { sets, chains } = firewallOf(backend, []).looks.all.parse(recorded.printed);
        expect([...sets.keys()]).to.include.members(['hnet4-in', 'hnet4-out', 'hnet4-ours']);
        const held = sets.get('hnet4-in');
        expect(held instanceof Map ? [...held.keys()] : held).to.deep.equal(['123.45.90.116/32']);
        const rules = [...chains].filter(([key]) => key.includes('hnet-')).flatMap(([, lines]) => lines);
        expect(rules.length).to.be.greaterThan(20);
      });

      it('is read as links, addresses, routes and rules', () => {
        const { links, addresses } = toLinks(answers('links'));
        expect(links.get('br116')).to.deep.include({ kind: 'bridge', group: 26734, up: true, mtu: 1500 });
        expect(links.get('br116')?.bridge).to.include({ stp: 0, forwardDelay: 0, ageingTime: 0 });
        expect(links.get('vnet0')?.master ?? links.get('vnet1')?.master).to.equal('br116');
        expect(addresses.get('br116')).to.deep.equal(['172.30.116.1/24']);
        const routes = toRoutesOf('104', answers('routes')).map(
          ({ route }) => `${route.type} ${format(route.prefix)} ${route.dev}`,
        );
        expect(routes).to.have.members([
          'blackhole 123.45.90.112/29 undefined',
          'unicast 123.45.90.116 br116',
        ]);
        expect(toRules(4, answers('rules')).map(({ preference }) => preference)).to.include.members([
          0, 32766,
        ]);
      });

      it('is read as the sockets of servers', () => {
        const lines = (recorded.tools['listeners'] ?? '').split('\n').filter(line => line.trim() !== '');
        expect(lines.map(parseListener).filter(({ port }) => port === 67)).to.have.length(1);
      });
    });
