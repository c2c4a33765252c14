import { expect } from 'chai';
import { policyChainNames } from '../../src/firewall/rules/policy-chains.ts';
import type { Guest } from '../lab/guest.ts';
import type { Machine } from '../lab/machine.ts';
import { hnet } from '../support/command.ts';
import { uuidOf } from '../support/domain.ts';
import { exchange, Listener, udpFlow } from '../support/endpoint.ts';
import { BOTH, FAMILIES } from '../support/families.ts';
import { filterSuite } from '../support/filter-suite.ts';
import { type Cause, type Filtered, inScope, toMetadata } from '../support/filtered.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { POOLS6 } from '../support/scene.ts';
import { type Place, Socket } from '../support/syscalls.ts';

/** Networks of the host: containers, whose host translates them, and a VPN's peer, whom nobody does. */
const NETS = {
  4: { docker: '172.17.0', wg: '10.9.0', behind: '192.168.5', length: 24 },
  6: { docker: 'fd17:', wg: 'fd09:', behind: 'fd05:', length: 64 },
} as const;

const at = (family: 4 | 6, net: 'docker' | 'wg' | 'behind', last: number): string =>
  `${NETS[family][net]}${family === 4 ? '.' : ':'}${last}`;

/** What Docker writes: containers are translated, and a port of the host is one of theirs. */
const DOCKER = ([4, 6] as const)
  .map(family => {
    const tool = family === 4 ? 'iptables' : 'ip6tables';
    const net = `${at(family, 'docker', 0).replace(/::0$/, '::')}/${NETS[family].length}`;
    const container = family === 4 ? '172.17.0.2:80' : '[fd17::2]:80';
    return `${tool} -t nat -A POSTROUTING -s ${net} ! -o docker0 -j MASQUERADE
      ${tool} -t nat -A PREROUTING -p tcp --dport 8080 -m addrtype --dst-type LOCAL ! -i docker0 -j DNAT --to-destination ${container}`;
  })
  .join('\n');

const RULES = [
  'allow tcp/80 from 10.9.0.0/24',
  'allow tcp/80 from fd09::/64',
  'allow tcp/1 from 10.44.0.0/16',
];
const TOOL = { 4: 'iptables', 6: 'ip6tables' } as const;
const MASQUERADE = ['-t', 'nat'];
const EVERYTHING = ['POSTROUTING', '-j', 'MASQUERADE'];

filterSuite("a host's other networks", ({ host }) => {
  let one: Filtered;
  let guest: Guest;
  let guarded: Guest;
  let container: Guest;
  let peer: Guest;

  before(async () => {
    one = await host({ pools: POOLS6 });
    await one.host.sh(`ip link add docker0 type bridge; ip link set docker0 up\n${DOCKER}`);
    guest = await one.start('vm1', BOTH.mine);
    guarded = await one.start('vm2', BOTH.neighbour, {
      default: 'deny',
      rules: RULES,
    });
    container = await one.host.guest({ name: 'container', bridge: 'docker0' });
    peer = await one.host.guest({ name: 'wg0' });
    // It sends solicitations from there.
    await one.host.run(['ip', 'address', 'add', 'fe80::1/64', 'dev', 'wg0', 'nodad']);
    for (const [machine, net, device] of [
      [container, 'docker', 'docker0'],
      [peer, 'wg', 'wg0'],
    ] as const)
      for (const family of [4, 6] as const) {
        const { length } = NETS[family];
        const nodad = family === 6 ? 'nodad' : '';
        const [near, far] = [at(family, net, 1), at(family, net, 2)];
        await one.host.sh(`ip address add ${near}/${length} dev ${device} ${nodad}`);
        await machine.sh(
          `ip address add ${far}/${length} dev eth0 ${nodad}; ip route add default via ${near}`,
        );
      }
  });

  /** A TCP connection and a word each way. @param called what the client calls, where the host translates that */
  async function reaches(client: Machine, server: Machine, place: Place, called = place): Promise<void> {
    const listener = new Listener(server, place);
    await exchange(await listener.connect(client, undefined, called));
    listener.close();
  }

  /** A first segment that is dropped, and why. */
  async function isDropped(cause: Cause, client: Machine, place: Place): Promise<void> {
    const socket = Socket.inet(client, 'tcp');
    await one.dropped(cause, () => void socket.connect(place));
    socket.close();
  }

  it('are seen by the next sync, which says so', async () => {
    expect(await one.sync()).to.match(/networks in hnet4-inside[\s\S]*networks in hnet6-inside/);
    expect(await one.sync()).to.equal('');
  });

  for (const { family, mine, neighbour, host: itself } of FAMILIES)
    describe(`IPv${family}`, () => {
      const [docked, tunnelled] = [at(family, 'docker', 2), at(family, 'wg', 2)];

      it('reach an assigned address, and are answered', async () => {
        await reaches(container, guest, { ip: mine, port: 80 });
        await exchange(udpFlow(peer, { ip: tunnelled, port: 4000 }, guest, { ip: mine, port: 4000 }));
        await reaches(peer, guest, { ip: mine, port: 80 });
      });

      it('meet the rules of a domain, under addresses of their own', async () => {
        await reaches(peer, guarded, { ip: neighbour, port: 80 });
        await isDropped('policy', peer, { ip: neighbour, port: 81 });
        await isDropped('policy', container, { ip: neighbour, port: 80 });
      });

      it('are reached by no domain', async () => {
        for (const client of [guest, guarded])
          for (const ip of [docked, tunnelled]) await isDropped('elsewhere', client, { ip, port: 80 });
      });

      it('are reached at ports that the host publishes, and where the host is closed they are not', async () => {
        const [place, called] = [
          { ip: docked, port: 80 },
          { ip: itself, port: 8080 },
        ];
        for (const client of [guest, guarded]) await reaches(client, container, place, called);
        await one.reconfigure('host_access = "dhcp-only"');
        await isDropped('host', guest, called);
        await one.reconfigure('');
      });

      it('are reached where the configuration names their interface, from the public address', async () => {
        await one.host.run([TOOL[family], ...MASQUERADE, '-I', ...EVERYTHING]);
        await one.reconfigure('inside = ["wg0"]');
        await reaches(guest, peer, { ip: tunnelled, port: 80 });
        await exchange(udpFlow(guest, { ip: mine, port: 4001 }, peer, { ip: tunnelled, port: 4001 }));
        await isDropped('elsewhere', guest, { ip: docked, port: 80 });
        await one.host.run([TOOL[family], ...MASQUERADE, '-D', ...EVERYTHING]);
        await one.reconfigure('');
        await isDropped('elsewhere', guest, { ip: tunnelled, port: 80 });
      });

      it('may be behind others: a route tells', async () => {
        const ip = at(family, 'behind', 5);
        await peer.run(['ip', 'address', 'add', ip, 'dev', 'lo']);
        const net = `${ip.slice(0, -1)}${family === 4 ? 0 : ':'}/${NETS[family].length}`.replace(':::', '::');
        await one.host.run(['ip', 'route', 'add', net, 'via', tunnelled]);
        expect(await one.sync()).to.contain(`networks in hnet${family}-inside`);
        await exchange(udpFlow(peer, { ip, port: 4002 }, guest, { ip: mine, port: 4002 }));
        await one.host.run(['ip', 'route', 'del', net]);
        expect(await one.sync()).to.contain(`networks in hnet${family}-inside`);
      });
    });

  it('reach no bootstrap lease', async () => {
    await isDropped('unassigned', container, { ip: inScope('123.45.90.116', 100), port: 80 });
  });

  for (const { family, mine, neighbour, host: itself, internet } of FAMILIES)
    describe(`what somebody publishes of a domain, IPv${family}`, () => {
      const dnat = (chain: string, port: number, to: string) =>
        `${TOOL[family]} -t nat -A ${chain} -p tcp -d ${itself} --dport ${port} -j DNAT --to-destination ${to}`;
      const at_ = (ip: string, port: number): string => (family === 4 ? `${ip}:${port}` : `[${ip}]:${port}`);

      before(() =>
        one.host.sh(`${dnat('PREROUTING', 2201, at_(mine, 22))}; ${dnat('OUTPUT', 2201, at_(mine, 22))}
          ${dnat('PREROUTING', 2202, at_(neighbour, 80))}`),
      );

      it('is reached from everywhere, and other flows of the domain stay untracked', async () => {
        await one.host.run(['conntrack', '-F']);
        for (const client of [one.lab.internet, guarded, container, peer, one.host])
          await reaches(client, guest, { ip: mine, port: 22 }, { ip: itself, port: 2201 });
        await reaches(one.lab.internet, guest, { ip: mine, port: 80 });
        await reaches(guest, one.lab.internet, { ip: internet, port: 80 });
        await exchange(
          udpFlow(guest, { ip: mine, port: 4003 }, one.lab.internet, { ip: internet, port: 4003 }),
        );
        const flows = await one.host.run([
          'conntrack',
          '-L',
          '-f',
          `ipv${family}`,
          '-p',
          'tcp',
          '--dport',
          '80',
        ]);
        expect(flows).to.equal('');
        const all = await one.host.run(['conntrack', '-L', '-f', `ipv${family}`]);
        expect(all).to.contain('dport=2201').and.not.to.contain('4003');
      });

      it('is reached on after what was learnt is gone, for each packet of a call tells anew', async () => {
        const listener = new Listener(guest, { ip: mine, port: 22 });
        const flow = await listener.connect(one.lab.internet, undefined, { ip: itself, port: 2201 });
        await exchange(flow);
        await one.host.sh(
          ['partly', 'translated']
            .map(
              name =>
                `nft flush set ${family === 4 ? 'ip' : 'ip6'} hnet hnet${family}-${name} || ipset flush hnet${family}-${name}`,
            )
            .join('\n'),
        );
        await exchange(flow);
        listener.close();
      });

      it('is no less reached once the domain has rules, and these hold', async () => {
        await one.change('vm1', BOTH.mine, { default: 'deny', rules: ['allow tcp/22'] });
        await reaches(one.lab.internet, guest, { ip: mine, port: 22 }, { ip: itself, port: 2201 });
        await isDropped('policy', one.lab.internet, { ip: mine, port: 80 });
        // Its answer passes where what the domain sends is tracked.
        await reaches(guest, one.lab.internet, { ip: internet, port: 80 });
        expect(await one.host.sh(`ipset save hnet${family}-particular || true`)).not.to.match(
          / 123\.45\.90\.116 timeout [1-9]| 2001:db8:12:48::116 timeout [1-9]/,
        );
        await one.change('vm1', BOTH.mine, {});
        await reaches(one.lab.internet, guest, { ip: mine, port: 22 }, { ip: itself, port: 2201 });
      });

      it("meets the domain's rules", async () => {
        await reaches(peer, guarded, { ip: neighbour, port: 80 }, { ip: itself, port: 2202 });
        await isDropped('policy', one.lab.internet, { ip: itself, port: 2202 });
      });
    });

  it('reach a bootstrap lease where somebody has translated the destination to it, as the Internet does', async () => {
    const lease = inScope('123.45.90.116', 100);
    await guest.run(['ip', 'address', 'add', `${lease}/24`, 'dev', 'eth0']);
    await one.host.sh(
      `iptables -t nat -A PREROUTING -p tcp -d 123.45.12.48 --dport 2203 -j DNAT --to ${lease}:22`,
    );
    for (const client of [one.lab.internet, container, guarded])
      await reaches(client, guest, { ip: lease, port: 22 }, { ip: '123.45.12.48', port: 2203 });
  });

  describe('and rules that name them', () => {
    it('are told apart from rules for networks that the host has not', async () => {
      const libvirt = await FakeLibvirt.create(one.scene);
      const policy = { default: 'deny', rules: RULES } as const;
      await libvirt.run('vm2', { metadata: toMetadata('vm2', BOTH.neighbour, policy) });
      await one.change('vm2', BOTH.neighbour, policy);
      const { stderr } = await hnet(one.scene, 'firewall', 'vm2');
      expect(stderr.trim()).to.equal(
        'hnet: rule 3 matches nothing: 10.44.0.0/16 is private, and no interface or route of this host leads there',
      );
    });

    it('count what they match, unless somebody has put a rule of his own among them', async () => {
      const { inbound } = policyChainNames(uuidOf('vm2'));
      const shown = async () => (await hnet(one.scene, 'firewall', 'vm2')).stdout;
      const dropped = async () => (await hnet(one.scene, 'traffic')).stderr;
      expect(await shown()).to.match(/1 +allow tcp\/80 from 10\.9\.0\.0\/24 +\d/);
      expect(await dropped()).to.equal('');
      await one.host.sh(
        `iptables -t mangle -I ${inbound} -j DROP || nft insert rule ip hnet ${inbound} counter drop`,
      );
      expect(await shown()).to.match(/1 +allow tcp\/80 from 10\.9\.0\.0\/24 +unknown/);
      expect(await dropped()).to.contain(`the chain ${inbound} has other rules than it should have`);
    });
  });
});
