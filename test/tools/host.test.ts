import { expect } from 'chai';
import type { Background } from '../lab/background.ts';
import type { Host } from '../lab/host.ts';
import { Lab } from '../lab/lab.ts';
import { INTERNET, INTERNET6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { hnet } from './program.ts';
import { equip, fetchTools } from './toolbox.ts';
import { startNetworkd } from './wire.ts';

const CONFIG = 'pools = ["123.45.90.112/29", "2001:db8:12:48::/64"]\n[dhcp]\ndns = ["9.9.9.9"]\n';

/** The uplink as `hnet host` prints it is handed to the real programs on a host that has lost its own. */
describe('the configuration for the host', () => {
  let lab: Lab;
  let host: Host;
  let running: Background[] = [];

  before(fetchTools);
  beforeEach(async () => {
    lab = await Lab.create();
    host = await lab.host('h1');
    await host.write('/etc/hnet/hnet.toml', CONFIG);
    await host.sh('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
  });
  afterEach(async () => {
    for (const each of running) await each.stop();
    running = [];
    lab.remove();
  });

  /** Prints the configuration, takes the uplink away, and puts what was printed where its comments say. */
  async function print(format: string): Promise<void> {
    const text = await host.run(hnet(['host', '--format', format]));
    await equip(host);
    for (const part of text.split(/^# (?=\/)/m).filter(one => one !== '')) {
      const [path = '', ...lines] = part.split('\n');
      await host.write(path, lines.join('\n'));
    }
    await host.sh('ip address flush dev eth0; ip link set eth0 down');
    expect(await host.ping(INTERNET)).to.equal(false);
  }

  async function proves(): Promise<void> {
    for (const far of [INTERNET, INTERNET6]) await until(() => host.ping(far), PATIENCE, `a ping to ${far}`);
    expect(await lab.internet.ping(host.address)).to.equal(true);
    const { code, stdout } = await host.attempt(hnet(['host', '--check']));
    expect(stdout).to.equal(
      'eth0: 123.45.12.48/32, gateway 123.45.12.1, on-link: as it should be\n' +
        'eth0: 2001:db8:12:48::2/128, gateway fe80::1, on-link: as it should be',
    );
    expect(code).to.equal(0);
  }

  it('ifup brings the uplink up', async () => {
    await print('ifupdown');
    await host.run(['ifup', '-a']);
    await proves();
  });

  it('networkd brings the uplink up, and keeps the blackholes when it is asked to do so again', async () => {
    await print('networkd');
    await host.sh('ip route add blackhole 123.45.90.112/29 proto 104');
    running = await startNetworkd(host);
    await proves();
    await host.sh('ip route add 192.0.2.7 dev eth0 proto static; networkctl reconfigure eth0');
    const routes = () => host.run(['ip', 'route']);
    await until(
      async () => !(await routes()).includes('192.0.2.7'),
      PATIENCE,
      'the end of a route of its own kind',
    );
    expect(await routes()).to.contain('blackhole 123.45.90.112/29');
    await proves();
  });

  it('netplan generates the uplink for networkd', async () => {
    await print('netplan');
    await host.sh('chmod 600 /etc/netplan/*; netplan generate; chmod 644 /run/systemd/network/*');
    running = await startNetworkd(host);
    await proves();
  });

  it('--check says where the running host differs', async () => {
    await host.sh(`
      sysctl -qw net.ipv4.ip_forward=0
      ip address flush dev eth0 scope global
      ip address add 123.45.12.48/24 dev eth0
      ip route add default via 123.45.12.1 dev eth0
      ip address add 2001:db8:12:48::2/64 dev eth0 nodad
      ip -6 route replace default via fe80::1 dev eth0 proto ra`);
    const { code, stdout } = await host.attempt(hnet(['host', '--check']));
    expect(code).to.equal(3);
    const faults = stdout.split('\n');
    expect(faults[0]).to.match(/^123\.45\.12\.48 on eth0 has the length \/24 where \/32 belongs/);
    expect(faults[1]).to.match(
      /^the gateway 123\.45\.12\.1 is reached by a subnet of eth0: make it pointopoint/,
    );
    expect(faults[2]).to.equal('IPv4 forwarding is off');
    expect(faults[3]).to.match(/^2001:db8:12:48::2 on eth0 has the length \/64 where \/128 belongs/);
    expect(faults[4]).to.match(/accept_ra=2/);
    expect(faults).to.have.length(5);
  });

  it('--check leaves a family alone that no pool is of', async () => {
    await host.write('/etc/hnet/hnet.toml', 'pools = ["123.45.90.112/29"]');
    await host.sh('sysctl -qw net.ipv6.conf.all.forwarding=0');
    const { code, stdout } = await host.attempt(hnet(['host', '--check']));
    expect(stdout).to.equal('eth0: 123.45.12.48/32, gateway 123.45.12.1, on-link: as it should be');
    expect(code).to.equal(0);
  });

  it('without a default route it says so', async () => {
    await host.sh('ip route del default');
    const { code, stderr } = await host.attempt(hnet(['host', '--check']));
    expect(code).to.equal(1);
    expect(stderr).to.match(/^hnet: Cannot find the uplink: there is no default route/);
  });

  it('takes an on-link route for as good as a peer', async () => {
    const other = await lab.host('h2', { addressing: 'on-link' });
    await other.write('/etc/hnet/hnet.toml', 'pools = []');
    await other.sh('sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1');
    const { code, stdout } = await other.attempt(hnet(['host', '--check']));
    expect(stdout).to.match(/gateway 123\.45\.12\.1, on-link: as it should be/);
    expect(code).to.equal(0);
  });

  it('refuses an unknown format, and none, with the list', async () => {
    for (const words of [['--format', 'netplan2'], []]) {
      const { code, stdout, stderr } = await host.attempt(hnet(['host', ...words]));
      expect([code, stdout]).to.deep.equal([2, '']);
      expect(stderr).to.match(/^hnet: Cannot .*ifupdown, netplan, networkd, bird, frr$/);
    }
  });
});
