import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { Stage } from './stage.ts';

const HARM: Readonly<Record<string, string>> = {
  'iptables -t mangle -F': 'iptables -t mangle -F',
  'nft flush ruleset': 'nft flush ruleset',
  'the limits of ARP senders deleted': 'nft delete table arp hnet',
  'the limits of connections deleted': 'nft delete table inet hnet',
  'ipset flush': 'ipset flush',
  'all tables flushed and ipset destroy': `for table in raw mangle nat; do
    iptables -t $table -F; iptables -t $table -X; done; ipset destroy`,
  'the bridge deleted': 'ip link del br116',
  'its address removed': 'ip address flush dev br116',
  'the route removed': 'ip route del 123.45.90.116 dev br116',
  'dnsmasq killed': 'pkill -KILL -x dnsmasq',
  'forwarding switched off': 'echo 0 >/proc/sys/net/ipv4/ip_forward',
  'forwarding switched off on the uplink': 'echo 0 >/proc/sys/net/ipv4/conf/eth0/forwarding',
  'forwarding switched off on the bridge': 'echo 0 >/proc/sys/net/ipv4/conf/br116/forwarding',
  'another switch of the bridge': 'echo 0 >/proc/sys/net/ipv4/conf/br116/arp_filter',
  'the tap pulled out of the bridge': 'ip link set $(ls /sys/class/net/br116/brif) nomaster',
  'the tap set down': 'ip link set $(ls /sys/class/net/br116/brif) down',
  "the tap's carrier switched off": 'ip link set $(ls /sys/class/net/br116/brif) carrier off',
  'the port locked': 'ip link set $(ls /sys/class/net/br116/brif) type bridge_slave locked on flood off',
  "the port's state": 'bridge link set dev $(ls /sys/class/net/br116/brif) state 0',
  'ARP switched off on the bridge': 'ip link set br116 arp off',
  'a blackhole removed': 'ip route del blackhole 123.45.90.112/29',
  'the route led elsewhere': `ip link add other type bridge; ip link set other up
    ip route replace 123.45.90.116/32 dev other proto 104; ip link del other`,
  "a stranger's table that drops what is forwarded": `nft 'add table inet other
    add chain inet other forward { type filter hook forward priority 10; policy drop; }'`,
  '/run/hnet emptied': 'rm -rf /run/hnet/*; ip route del 123.45.90.116 dev br116',
  'its lease file garbage': `head -c 1000 /dev/urandom >/var/lib/hnet/leases/br116.leases
    pkill -KILL -x dnsmasq`,
};

/** The highest exposure that `systemd-analyze security` may find, in tenths. */
const EXPOSURE = 40;
const UNITS = ['hnet-base.service', 'hnet-sync.service', 'hnet-watch.service', 'hnet-metrics.service'];

/** In milliseconds, less than the five minutes after which the service looks without being told of anything. */
const SOONER = 120_000;

describe('hnet watch', () => {
  const stage = new Stage();

  before(async () => {
    await stage.hv.run(['systemctl', 'enable', '--now', 'hnet-sync', 'hnet-watch']);
    const vm = await stage.hv.vm({
      name: 'vm1',
      nic: { type: 'bridge', source: 'br116' },
      append: `addr=123.45.90.116 gw=${stage.hv.address}`,
    });
    await stage.ok('assign', 'vm1', '123.45.90.116');
    await vm.start();
    await vm.ready();
  });

  /** Until nothing is wrong (in two seconds, as bench measures), and the VM is reachable from outside. */
  async function healed(what: string, limit = PATIENCE): Promise<void> {
    const whole = async () => (await stage.hnet('check')).code === 0;
    try {
      await until(whole, limit, `the repair of ${what}`);
    } catch (error) {
      const log = await stage.hv.run([
        'journalctl',
        '-u',
        'hnet-watch',
        '-n',
        '30',
        '--no-pager',
        '-o',
        'cat',
      ]);
      throw new Error(`${(error as Error).message}\n${(await stage.hnet('check')).stdout}\n${log}`);
    }
    expect(await stage.lab.internet.ping('123.45.90.116')).to.equal(true);
  }

  it('runs, and says that it is ready', async () => {
    expect(await stage.hv.run(['systemctl', 'is-active', 'hnet-watch', 'hnet-base'])).to.equal(
      'active\nactive',
    );
    expect(await stage.hv.run(['systemctl', 'show', '-P', 'Result', 'hnet-sync'])).to.equal('success');
  });

  it('hnet-base writes the uplink into hnet.toml, which it may', async () => {
    await stage.hv.sh(`sed -i '/^uplink = /d' /etc/hnet/hnet.toml; systemctl restart hnet-base`);
    expect(await stage.hv.run(['grep', '^uplink', '/etc/hnet/hnet.toml'])).to.equal('uplink = "eth0"');
  });

  for (const unit of UNITS)
    it(`${unit}: its sandbox is tight, and systemd finds nothing wrong with it`, async () => {
      await stage.hv.run(['systemd-analyze', 'security', `--threshold=${EXPOSURE}`, '--no-pager', unit]);
      const verified = await stage.hv.sh(`systemd-analyze verify --man=no ${unit} 2>&1`);
      expect(verified.split('\n').filter(line => line.includes('hnet'))).to.deep.equal([]);
      expect(await stage.hv.run(['systemctl', 'show', '-P', 'TimeoutStartUSec', unit])).to.equal('6min');
    });

  for (const [what, harm] of Object.entries(HARM)) {
    it(`repairs ${what}`, async () => {
      // The harm is done when this ends, and nobody else repairs it.
      await stage.hv.sh(harm);
      await healed(what);
    });
  }

  it('makes a change of the metadata of a running domain good at once', async () => {
    const metadata = `<assignment><address ip="123.45.90.116" bridge="br116" scope="172.30.116.0/24"/>
      <address ip="123.45.90.117" bridge="br116" scope="172.30.116.0/24"/></assignment>`;
    await stage.hv.run([
      'virsh',
      'metadata',
      'vm1',
      'urn:hnet:1',
      '--live',
      '--config',
      '--key',
      'hnet',
      '--set',
      metadata,
    ]);
    const routed = async () =>
      (await stage.hv.run(['ip', 'route', 'show', '123.45.90.117'])).includes('dev br116');
    await until(routed, PATIENCE, 'the route of the added address');
    await healed('the assignment');
  });

  it('plugs a hot-plugged interface in, also where the bridge was lost', async () => {
    await stage.hv.sh('virsh attach-interface vm1 bridge br116 --model virtio --live --config');
    await stage.hv.sh('ip link del br116');
    await healed('the bridge with two ports');
    const ports = await stage.hv.run(['ip', '-br', 'link', 'show', 'master', 'br116']);
    expect(ports.split('\n')).to.have.length(2);
  });

  it('starts its sources again when they die, and goes on', async () => {
    await stage.hv.sh(
      'pkill -KILL -x nft || true; pkill -KILL -f "^ip -o monitor"; pkill -KILL -f "virsh -q event"',
    );
    await stage.hv.sh('ip route del 123.45.90.116 dev br116');
    await healed('the route');
  });

  it('goes on when libvirtd is restarted, and the DHCP servers outlive a stop of the service', async () => {
    await stage.hv.run(['systemctl', 'restart', 'libvirtd']);
    await stage.hv.sh('pkill -KILL -x dnsmasq');
    await healed('the DHCP server');
    const pid = await stage.hv.run(['pgrep', '-x', 'dnsmasq']);
    await stage.hv.run(['systemctl', 'stop', 'hnet-watch']);
    expect(await stage.hv.run(['pgrep', '-x', 'dnsmasq'])).to.equal(pid);
    expect(
      (await stage.hv.attempt(['pgrep', '-f', 'nft monitor|ip -o monitor|virsh -q event'])).code,
    ).to.equal(1);
    expect((await stage.hnet('check')).code).to.equal(0);
  });

  for (const [service, verb] of [
    ['nftables', 'restart'],
    ['nftables', 'reload'],
    ['firewalld', 'restart'],
    ['firewalld', 'reload'],
  ] as const) {
    it(`without the service: a ${verb} of ${service} is followed by a repair`, async () => {
      await stage.hv.run(['systemctl', 'stop', 'hnet-watch']);
      if (service === 'firewalld') await stage.hv.write(`/etc/systemd/system/${service}.service`, STAND_IN);
      await stage.hv.run(['systemctl', 'daemon-reload']);
      await stage.hv.run(['systemctl', 'start', service]);
      await healed(`the start of ${service}`);
      await stage.hv.run(['systemctl', verb, service]);
      await healed(`the ${verb} of ${service}`);
      await stage.hv.run(['systemctl', 'stop', service]);
      await stage.ok('sync');
    });
  }

  it('listens to the signal with which firewalld tells that it was reloaded', async () => {
    // Without a program of that name the service doesn't listen.
    await stage.hv.sh('install -m 755 /dev/null /usr/sbin/firewalld; systemctl restart hnet-watch');
    const listens = () => stage.hv.attempt(['pgrep', '-f', '^busctl --match']);
    await until(async () => (await listens()).code === 0, PATIENCE, 'the service to listen');
    // What no source tells of, and no look at its start finds any more: so it stays.
    const unseen = async () => {
      await stage.hv.sh('rm -rf /run/hnet/claims; sleep 2');
      return (await stage.hnet('check')).code === 3;
    };
    await until(unseen, PATIENCE, 'the service to be at rest');
    await stage.hv.sh('busctl emit /org/fedoraproject/FirewallD1 org.fedoraproject.FirewallD1 Reloaded');
    await healed('the claims', SOONER);
  });
});

/** Does to the rules of others what firewalld's reload does; the real one has its own test. */
const STAND_IN = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=nft flush ruleset
ExecReload=nft flush ruleset
[Install]
WantedBy=multi-user.target
`;
