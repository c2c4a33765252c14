import { expect } from 'chai';
import type { Finding, ReachFacts } from '../../src/doctor/reach/facts.ts';
import type { Guest } from '../lab/guest.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { CONFIG } from '../support/cast.ts';
import { hnet } from '../support/command.ts';
import { domainXml, uuidOf, type Wanted } from '../support/domain.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import { POOLS6, type Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

const [ROUTER, PREFIX] = ['123.45.90.117', '123.45.90.112/30'];
const [ROUTER6, PREFIX6] = ['2001:db8:12:48::117', '2001:db8:12:4942::/64'];
const ON_BRIDGE = { bridge: 'br117', scope: '172.30.117.0/24' };
const ROUTED: readonly Wanted[] = [
  { ip: PREFIX, ...ON_BRIDGE, via: ROUTER },
  { ip: ROUTER, ...ON_BRIDGE },
  { ip: ROUTER6, ...ON_BRIDGE },
  { ip: PREFIX6, ...ON_BRIDGE, via: ROUTER6 },
];
const INNER = '172.30.5.10';
const FORWARDED = `<h:assignment xmlns:h="urn:hnet:1" domain="${uuidOf('inner')}">
  <h:address ip="${INNER}" bridge="br5-10" scope="172.30.5.0/24"/><h:forward>tcp/2201:22</h:forward>
  <h:forward>udp/53</h:forward><h:forward>tcp/3000-3100</h:forward></h:assignment>`;

interface Cast {
  readonly one: Scene;
  readonly router: Guest;
  readonly inner: Guest;
}

/** A VM that routes prefixes on, and one that has nothing but a private address and ports of the host. */
async function cast(one: Scene): Promise<Cast> {
  const libvirt = await FakeLibvirt.create(one);
  await one.prepare('router', ROUTED);
  await libvirt.run('router', { addresses: ROUTED, taps: [{ bridge: 'br117', tap: 'router' }] });
  const router = await one.host.guest({ name: 'router', bridge: 'br117' });
  await router.static(ROUTER, one.host.address);
  await router.static(ROUTER6, 'fe80::1');
  const { stderr } = await one.hook('prepare', 'inner', domainXml('inner', { metadata: FORWARDED }));
  expect(stderr).to.equal('');
  await libvirt.run('inner', { metadata: FORWARDED, taps: [{ bridge: 'br5-10', tap: 'inner' }] });
  const inner = await one.host.guest({ name: 'inner', bridge: 'br5-10' });
  await inner.sh(`ip address add ${INNER}/24 dev eth0; ip route add default via 172.30.5.1`);
  inner.start([process.execPath, '-e', 'require("net").createServer().listen(22)']);
  await until(async () => (await inner.run(['ss', '-Hltn'])).includes(':22'), PATIENCE, 'a server inside');
  for (const [guest, far] of [
    [router, INTERNET],
    [router, INTERNET6],
    [inner, INTERNET],
  ] as const)
    expect(await guest.ping(far)).to.equal(true);
  return { one, router, inner };
}

/** Which address the VM with the private one has. */
const lives =
  (on: string) =>
  ({ inner }: Cast) =>
    inner.sh(`ip address flush dev eth0 scope global; ip address add ${on}/24 dev eth0
      ip route replace default via 172.30.5.1; ping -q -c 1 -W 9 172.30.5.1`);

/** What is wrong, and with which of the two; how it is done, and undone. */
const TROUBLES: Readonly<
  Record<string, readonly [string, (all: Cast) => Promise<unknown>, (all: Cast) => Promise<unknown>, object]>
> = {
  'a next hop that lacks its address': [
    'router',
    ({ router }) => router.run(['ip', 'address', 'del', `${ROUTER6}/128`, 'dev', 'eth0']),
    ({ router }) => router.run(['ip', 'address', 'add', `${ROUTER6}/128`, 'dev', 'eth0', 'nodad']),
    { cause: 'no address', address: ROUTER6 },
  ],
  'a prefix that is routed on, and that the provider does not route here': [
    'router',
    ({ one }) => one.lab.gateway.sh(`ip route add blackhole ${PREFIX6}`),
    ({ one }) => one.lab.gateway.sh(`ip route del blackhole ${PREFIX6}`),
    { cause: 'not routed', address: PREFIX6 },
  ],
  'a VM with a private address that lives on another': [
    'inner',
    lives('172.30.5.77'),
    lives(INNER),
    { cause: 'bootstrap lease', address: INNER },
  ],
  'a port that nobody inside listens on': [
    'inner',
    ({ inner }) =>
      inner.sh(
        'nft "add table ip f; add chain ip f i { type filter hook input priority 0; }" && nft add rule ip f i tcp dport 22 reject with tcp reset',
      ),
    ({ inner }) => inner.sh('nft delete table ip f'),
    {
      cause: 'forward',
      address: INNER,
      saw: `tcp/2201:22 leads to ${INNER} tcp/22, and nothing in the VM listens there`,
    },
  ],
  'a port that is blocked inside': [
    'inner',
    ({ inner }) =>
      inner.sh(
        'nft "add table ip f; add chain ip f i { type filter hook input priority 0; }" && nft add rule ip f i tcp dport 22 drop',
      ),
    ({ inner }) => inner.sh('nft delete table ip f'),
    {
      cause: 'forward',
      address: INNER,
      saw: `tcp/2201:22 leads to ${INNER} tcp/22, and the VM doesn't answer there, though it answers a ping: its own firewall drops it`,
    },
  ],
};

kernelSuite('doctor DOMAIN, of what lies behind a VM or within the host', (_, share) => {
  const stage = share(async scene => cast(await scene({ config: CONFIG, pools: POOLS6 })));

  async function ask({ one }: Cast, name: string) {
    const { code, stdout, stderr } = await hnet(one, 'doctor', name, '--json');
    if (stdout === '') throw new Error(stderr);
    return { code, ...(JSON.parse(stdout) as { finding: Finding | null; facts: ReachFacts }) };
  }

  for (const name of ['router', 'inner'])
    it(`finds nothing on a healthy one (${name})`, async () => {
      const { finding, code, facts } = await ask(await stage(), name);
      expect({ finding, code }, JSON.stringify(facts, null, 1)).to.deep.equal({ finding: null, code: 0 });
    });

  for (const [what, [name, harm, mend, expected]] of Object.entries(TROUBLES))
    it(`names ${what}`, async () => {
      const all = await stage();
      await harm(all);
      const { finding, code, facts } = await ask(all, name);
      await mend(all);
      expect({ ...finding, code }, JSON.stringify(facts, null, 1)).to.include({ ...expected, code: 3 });
    });
});
