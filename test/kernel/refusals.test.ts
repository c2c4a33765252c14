import { BAD_CONFIGS } from '../support/bad-config.ts';
import { assignmentXml, domainXml, uuidOf, type Wanted } from '../support/domain.ts';
import { expectRefusal } from '../support/refusal.ts';
import { CONFIG, REAL, type Scene } from '../support/scene.ts';
import { expectUnchanged, snapshot } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';

interface Case {
  readonly what: string;
  readonly why: RegExp | string;
  /** Default: the one that would start if it were not for the rest. */
  readonly addresses?: readonly Wanted[];
  /** In place of what is made from the addresses. */
  readonly metadata?: string;
  /** What the host has been made to look like, and how it is again as it was. */
  readonly given?: Given;
}

type Step = (scene: Scene) => Promise<unknown>;
type Given = readonly [done: Step, undone: Step];

const VM0 = uuidOf('vm0');
const element = (inner: string) => `<hnet:assignment xmlns:hnet="urn:hnet:1">${inner}</hnet:assignment>`;
const inShell = (script: string, undo: string): Given => [
  scene => scene.host.sh(script),
  scene => scene.host.sh(undo),
];
/** Another domain runs. */
const holding = (...addresses: readonly Wanted[]): Given => [
  scene => scene.prepare('vm0', addresses),
  scene => scene.release('vm0'),
];
const configured = (text: string): Given => [
  scene => scene.configure(text),
  scene => scene.configure(CONFIG),
];
/** Another program in a program's place, or none. */
const replaced = (program: string, script?: string): Given => [
  scene => scene.replace(program, script),
  scene => scene.restore(program),
];

const CASES: readonly Case[] = [
  {
    what: 'an address outside the pools',
    addresses: ['123.45.91.1'],
    why: /^123\.45\.91\.1 is outside the pools \(123\.45\.90\.112\/29, .*hnet\.toml$/,
  },
  {
    what: 'a subnet that lies only half in a pool',
    addresses: [{ ip: '123.45.90.112/28', bridge: 'br112', scope: '172.30.112.0/24' }],
    why: /^123\.45\.90\.112\/28 is outside the pools/,
  },
  ...['9.9.9.0/24', '198.18.0.0/24'].map(
    (scope): Case => ({
      what: `the scope ${scope}, which is nobody's to give`,
      addresses: [{ ip: '123.45.90.116', bridge: 'br116', scope }],
      why: `scope ${scope} of 123.45.90.116 is neither in "scopes" of hnet.toml (172.30.0.0/16) nor private (RFC 1918, RFC 6598); run hnet unassign, then hnet assign`,
    }),
  ),
  {
    what: "the host's own address",
    addresses: ['123.45.12.48'],
    why: "123.45.12.48 is the host's or the gateway's own address",
  },
  {
    what: "the gateway's address",
    addresses: ['123.45.12.1'],
    why: "123.45.12.1 is the host's or the gateway's own address",
  },
  {
    what: 'an address that another domain holds',
    given: holding('123.45.90.116'),
    why: '123.45.90.116 is in use by domain "vm0"',
  },
  {
    what: 'a part of a subnet that another domain holds',
    given: holding('123.45.90.112/29'),
    why: '123.45.90.112/29 is in use by domain "vm0"',
  },
  {
    what: 'a scope that another domain holds',
    given: holding({ ip: '123.45.90.117', bridge: 'br117', scope: '172.30.116.0/24' }),
    why: 'scope 172.30.116.0/24 is in use by domain "vm0"',
  },
  {
    what: 'a bridge that another domain holds',
    given: holding({ ip: '123.45.90.117', bridge: 'br116', scope: '172.30.117.0/24' }),
    why: 'bridge br116 is in use by domain "vm0"',
  },
  {
    what: "a bridge of that name that isn't hnet's",
    given: inShell('ip link add br116 type bridge; ip link set br116 up', 'ip link del br116'),
    why: "Cannot set up bridge br116: an interface of that name exists and isn't hnet's",
  },
  {
    what: "something else of the bridge's name",
    given: inShell('ip link add br116 type veth peer name other', 'ip link del br116'),
    why: "Cannot set up bridge br116: an interface of that name exists and isn't hnet's",
  },
  {
    what: "somebody else's route for the address",
    given: inShell('ip route add 123.45.90.116/32 dev eth0', 'ip route del 123.45.90.116/32 dev eth0'),
    why: /^Cannot set up route 123\.45\.90\.116 to br116: a route of protocol boot to eth0 exists$/,
  },
  {
    what: "a scope inside Docker's network",
    given: inShell(
      'ip link add docker0 type bridge; ip link set docker0 up; ip address add 172.30.0.1/16 dev docker0',
      'ip link del docker0',
    ),
    why: /^scope 172\.30\.116\.0\/24 collides with the host's route 172\.30\.0\.0\/16 to docker0; /,
  },
  {
    what: 'a private address that the host itself has',
    addresses: [{ ip: '172.30.5.10', bridge: 'br5-10', scope: '172.30.5.0/24' }],
    given: inShell('ip address add 172.30.5.10/32 dev lo', 'ip address del 172.30.5.10/32 dev lo'),
    why: 'the host itself has 172.30.5.10 on lo; ip address delete 172.30.5.10/32 dev lo removes it',
  },
  {
    what: 'a forward of a port on which a program of the host listens',
    metadata: assignmentXml(uuidOf('vm1'), ['123.45.90.116']).replace(
      '</hnet:assignment>',
      '<hnet:forward>tcp/2200-2201:22</hnet:forward></hnet:assignment>',
    ),
    given: inShell(
      `${process.execPath} -e 'require("net").createServer().listen(2201)' >/dev/null 2>&1 & echo $! >/run/lab/listening
       until ss -Hltn | grep -q :2201; do sleep 0.1; done`,
      'kill "$(cat /run/lab/listening)"; while ss -Hltn | grep -q :2201; do sleep 0.1; done',
    ),
    why: /^its forward tcp\/2200-2201:22 would take calls from \S+ of the host, which listens on tcp\/2201; hnet forward delete 'vm1' tcp\/2200-2201:22$/,
  },
  {
    what: 'a scope of which a part is routed elsewhere',
    given: inShell(
      'ip link add vpn0 type bridge; ip link set vpn0 up; ip route add 172.30.116.128/25 dev vpn0',
      'ip link del vpn0',
    ),
    why: /^scope 172\.30\.116\.0\/24 collides with the host's route 172\.30\.116\.128\/25 to vpn0; /,
  },
  { what: 'an empty assignment', metadata: element(''), why: /the assignment holds no address/ },
  {
    what: 'malformed metadata',
    metadata: element('<hnet:address ip="1.2.3"/>'),
    why: /"1\.2\.3" is not an IP address/,
  },
  {
    what: 'our element twice',
    metadata:
      assignmentXml(uuidOf('vm1'), ['123.45.90.116']) + assignmentXml(uuidOf('vm1'), ['123.45.90.117'], 'b'),
    why: /two elements of urn:hnet:1/,
  },
  {
    what: "a clone's metadata",
    metadata: assignmentXml(VM0, ['123.45.90.116']),
    why: new RegExp(
      `^its metadata assigns 123\\.45\\.90\\.116 to the domain with UUID ${VM0}, so this one is a clone`,
    ),
  },
  {
    what: 'no configuration',
    given: inShell('mv /etc/hnet/hnet.toml /run/lab/', 'mv /run/lab/hnet.toml /etc/hnet/'),
    why: /^Cannot read \/etc\/hnet\/hnet\.toml: ENOENT.*hnet init writes it$/,
  },
  {
    what: 'a configuration with an unknown key',
    given: configured('pools = ["123.45.90.112/29"]\n[dhcp]\nleese = "1h"\n'),
    why: /^Cannot use \/etc\/hnet\/hnet\.toml, line 3, key "dhcp\.leese": .*unknown key$/,
  },
  {
    what: 'a pool that holds the host',
    given: configured('pools = [\n  "123.45.90.112/29",\n  "123.45.12.0/24",\n]\n'),
    why: /hnet\.toml, line 3, key "pools": .*the pool contains 123\.45\.12\.48, the host's or the gateway's own address$/,
  },
  ...Object.entries(BAD_CONFIGS).map(([what, [text, why]]) => ({ what, given: configured(text), why })),
  {
    what: 'no default route, and no filter that stands',
    given: inShell(
      'ip route save default >/run/lab/default; ip route del default; mv /run/hnet/uplink /run/lab/',
      'ip route restore </run/lab/default; mv /run/lab/uplink /run/hnet/',
    ),
    why: /^Cannot find the uplink: there is no default route/,
  },
  {
    what: 'no dnsmasq',
    given: replaced('/usr/sbin/dnsmasq'),
    why: /^Cannot run "dnsmasq .*--conf-file=\/run\/hnet\/dhcp\/br116\.conf": the program is not installed$/,
  },
  {
    what: 'a dnsmasq that refuses its configuration',
    given: replaced('/usr/sbin/dnsmasq', `exec ${REAL}/dnsmasq --no-such-option "$@"`),
    why: /^Cannot run "dnsmasq .*br116\.conf": dnsmasq: bad command line options/,
  },
  {
    what: 'no ipset',
    given: [
      async scene => {
        await scene.configure(`${CONFIG}[firewall]\nbackend = "iptables"\n`);
        await scene.replace('/usr/sbin/ipset');
      },
      async scene => {
        await scene.restore('/usr/sbin/ipset');
        await scene.configure(CONFIG);
      },
    ],
    why: /^Cannot run "ipset .*": the program is not installed$/,
  },
];

kernelSuite('a start is refused, and leaves all as it was, at', (_, share) => {
  const based = share(async scene => {
    const one = await scene();
    await one.base();
    await one.configure(CONFIG);
    return one;
  });

  for (const { what, addresses = ['123.45.90.116'], metadata, given, why } of CASES) {
    it(what, async () => {
      const one = await based();
      const [done, undone] = given ?? [];
      await done?.(one);
      const before = await snapshot(one.host);
      const xml = domainXml('vm1', { addresses, ...(metadata === undefined ? {} : { metadata }) });
      expectRefusal(await one.hook('prepare', 'vm1', xml), 'vm1', why);
      await expectUnchanged(one.host, before);
      await undone?.(one);
    });
  }

  it("XML that is cut off, isn't XML, isn't there, or has entities of its own", async () => {
    const one = await based();
    const before = await snapshot(one.host);
    const whole = domainXml('vm1', { addresses: ['123.45.90.116'] });
    const bomb = `<!DOCTYPE domain [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>${whole}`;
    const broken = [whole.slice(0, whole.indexOf('</metadata>')), '', 'urn:hnet:1', bomb, '<network/>'];
    for (const xml of broken) expectRefusal(await one.hook('prepare', 'vm1', xml), '', /XML/);
    await expectUnchanged(one.host, before);
  });

  for (const name of [
    '..',
    '-rf',
    '$(id)',
    'a\nb',
    '<vm> & "co"',
    "it's",
    '../../etc/passwd',
    'ü'.repeat(200),
  ]) {
    it(`nothing of a domain that is called ${JSON.stringify(name).slice(0, 20)}`, async () => {
      const one = await based();
      const before = await snapshot(one.host);
      await one.prepare(name, ['123.45.90.116']);
      expectRefusal(await one.attemptPrepare('vm2', ['123.45.90.116']), 'vm2', /is in use by domain "/);
      await one.release(name);
      await expectUnchanged(one.host, before);
      expectRefusal(await one.attemptPrepare(name, ['123.45.91.1']), name, /outside the pools/);
    });
  }
});
