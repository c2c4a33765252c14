import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { uuidOf } from '../support/domain.ts';
import { CONFIG, REAL, VARIANTS } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

interface LinkJson {
  readonly address: string;
  readonly group: string;
  readonly ifalias: string;
  readonly operstate: string;
  readonly flags: readonly string[];
  readonly inet6_addr_gen_mode: string;
  readonly linkinfo: { readonly info_kind: string; readonly info_data: Readonly<Record<string, number>> };
}

kernelSuite('prepare', scene => {
  it('makes the bridge with every setting', async () => {
    const { host } = await prepared();
    const [link] = JSON.parse(await host.run(['ip', '-d', '-j', 'link', 'show', 'br116'])) as LinkJson[];
    expect(link?.linkinfo.info_kind).to.equal('bridge');
    expect(link?.linkinfo.info_data).to.include({
      stp_state: 0,
      forward_delay: 0,
      ageing_time: 0,
      mcast_snooping: 0,
    });
    expect(link).to.include({
      address: '02:68:ac:1e:74:01',
      ifalias: `hnet ${uuidOf('vm1')}`,
      inet6_addr_gen_mode: 'none',
    });
    expect(Number(link?.group)).to.equal(0x686e);
    expect(link?.flags).to.include('UP');
  });

  it('switches what is per interface, and nothing global but forwarding', async () => {
    const { host, globals } = await prepared();
    const read = (path: string) => host.read(`/proc/sys/net/${path}`);
    expect(await read('ipv4/conf/br116/arp_filter')).to.equal('1');
    expect(await read('ipv4/conf/br116/accept_redirects')).to.equal('0');
    expect(await read('ipv6/conf/br116/disable_ipv6')).to.equal('1');
    expect(await read('ipv6/conf/br116/accept_ra')).to.equal('0');
    expect(await read('ipv4/ip_forward')).to.equal('1');
    expect(await host.sh(GLOBALS)).to.equal(globals);
  });

  it('gives the bridge its address and the public address its route', async () => {
    const { host } = await prepared();
    expect(await host.run(['ip', '-br', 'address', 'show', 'br116'])).to.match(/ 172\.30\.116\.1\/24 ?$/);
    const routes = await host.run(['ip', 'route', 'show', '123.45.90.116']);
    expect(routes.trim()).to.equal('123.45.90.116 dev br116 proto 104 scope link linkdown');
    for (const pool of ['123.45.90.112/29', '123.45.53.11', '123.45.53.13']) {
      const hole = await host.run(['ip', 'route', 'show', 'exact', pool]);
      expect(hole.trim()).to.match(/^blackhole \S+ proto 104 metric 1000000$/);
    }
  });

  for (const variant of VARIANTS) {
    it(`puts the address into the sets and its jumps first (${variant})`, async () => {
      const one = await scene({ variant });
      await one.prepare('vm1', ['123.45.90.116']);
      const sets = await one.host.run(['ipset', 'save']);
      for (const entry of [
        'hnet4-in 123.45.90.116',
        'hnet4-out 123.45.90.116',
        'hnet4-scopes 172.30.116.0/24',
      ]) {
        expect(`${sets}\n`).to.match(new RegExp(`^add ${entry}( packets .*)?$`, 'm'));
      }
      const saved = await one.host.run(['iptables-save']);
      for (const chain of ['PREROUTING', 'FORWARD', 'INPUT', 'POSTROUTING']) {
        expect(saved).to.match(new RegExp(`^-A ${chain} .*-j hnet-${chain.toLowerCase()}$`, 'm'));
      }
    });
  }

  it('starts one DHCP server, bound to the bridge alone, that serves no DNS', async () => {
    const { host } = await prepared();
    await host.guest({ name: 'vm1', bridge: 'br116' });
    const sockets = await until(() => host.run(['ss', '-Htulnp']), PATIENCE, 'the DHCP socket');
    const ours = sockets.split('\n').filter(line => line.includes('dnsmasq'));
    expect(ours).to.have.length(1);
    expect(ours[0]).to.match(/0\.0\.0\.0%br116:67 /);
  });

  for (const [what, config] of [
    ['as installed', CONFIG],
    ['with domains kept apart', `${CONFIG}[firewall]\nbetween_domains = false\n`],
  ] as const) {
    it(`looks at what it touches and no further (${what})`, async () => {
      const one = await scene({ config });
      await one.base();
      const calls = ['ip', 'ipset'].map(tool => `/run/lab/${tool}.calls`);
      for (const tool of ['ip', 'ipset'])
        await one.replace(
          `/usr/sbin/${tool}`,
          `echo "$*" >>/run/lab/${tool}.calls; exec ${REAL}/${tool} "$@"`,
        );
      await one.prepare('vm1', ['123.45.90.116']);
      const [ip, ipset] = await Promise.all(calls.map(path => one.host.read(path)));
      expect(ip?.split('\n')).to.deep.equal(['-json -details -force -batch -', '-batch -']);
      expect(ipset?.split('\n')).to.deep.equal(['-exist restore']);
    });
  }

  it('changes nothing but what was lost when it is called again', async () => {
    const one = await scene();
    await one.prepare('vm1', ['123.45.90.116']);
    await one.prepare('vm1', ['123.45.90.116']);
    expect(await one.host.run(['pgrep', '-c', 'dnsmasq'])).to.equal('1');
    const saved = await one.host.run(['iptables-save', '-t', 'mangle']);
    expect(saved.match(/-j hnet-forward$/gm)).to.have.length(1);
  });

  async function prepared() {
    const one = await scene();
    const globals = await one.host.sh(GLOBALS);
    await one.prepare('vm1', ['123.45.90.116']);
    return { host: one.host, globals };
  }
});

/** Every switch that isn't one interface's own; ip_forward turns on what depends on it. */
const GLOBALS = `for kind in all default; do
  for file in /proc/sys/net/ipv4/conf/$kind/* /proc/sys/net/ipv6/conf/$kind/*; do
    case $file in */ipv4/conf/*/forwarding | */ipv4/conf/*/accept_redirects | */stable_secret) continue ;; esac
    echo "$file $(cat "$file")"
  done
done
cat /proc/sys/net/bridge/* 2>/dev/null || true`;
