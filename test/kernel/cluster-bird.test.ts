import { expect } from 'chai';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import { EMPTY_VIEW } from '../../src/model/view.ts';
import { type Action, joinWords } from '../../src/resources/action.ts';
import { hostRoute } from '../../src/resources/route.ts';
import { Lab } from '../lab/lab.ts';
import { isIpv6 } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, ensureBuilt } from '../support/build.ts';
import type { Filtered } from '../support/filtered.ts';
import { BIRD_CONF, knowEachOther, onWire, Peers, startBird, WIRE } from '../support/peers.ts';

const ONE = ['123.45.90.116', '2001:db8:12:48::116'] as const;
const TWO = ['123.45.90.117', '2001:db8:12:48::117'] as const;
const [BEHIND, BEHIND6] = ['123.45.53.12', '2001:db8:12:4942::'];

describe('what carries routes between hosts', () => {
  let lab: Lab;
  let peers: Peers;

  before(async () => {
    await ensureBuilt();
    lab = await Lab.create();
    peers = await Peers.create(lab, 'nftables');
    await knowEachOther(peers);
  });
  after(() => lab.remove());

  const print = ({ host }: Filtered, format: string): Promise<string> =>
    host.run([process.execPath, COMMAND, 'host', '--format', format]);

  it('is printed for BIRD, which takes it as it stands, and then has a session with each host', async () => {
    for (const { host } of [peers.h1, peers.h2]) {
      await host.write(BIRD_CONF, await print(host === peers.h1.host ? peers.h1 : peers.h2, 'bird'));
      expect((await host.attempt(['bird', '-p', '-c', BIRD_CONF])).stderr).to.equal('');
      await startBird(host);
    }
    for (const { host } of [peers.h1, peers.h2]) {
      const sessions = async (): Promise<boolean> => {
        const shown = await host.run(['birdc', 'show', 'protocols']);
        return shown.split('\n').filter(line => / BGP .*Established/.test(line)).length === 2;
      };
      await until(sessions, PATIENCE, `the sessions of ${host.name}`);
    }
  });

  it('a start on one host is known on the other, and so is its end', async () => {
    const one = await peers.h1.start('vm1', ONE);
    const two = await peers.h2.start('vm2', TWO);
    for (const six of [0, 1] as const) {
      await leads(peers.h1, TWO[six], WIRE);
      await leads(peers.h2, ONE[six], WIRE);
      expect(await one.ping(TWO[six])).to.equal(true);
      expect(await two.ping(ONE[six])).to.equal(true);
    }
  });

  it('the states of a route decide who has it, without a gap', async () => {
    for (const [six, address] of TWO.entries()) {
      const [mine, normal] = [length(address), six === 0 ? 'metric 0' : 'metric 100'];
      const route = ({ host }: Filtered, verb: string, device: string, metric: string) =>
        host.run(['ip', 'route', verb, mine, 'dev', device, ...metric.split(' '), 'proto', '104']);
      await route(peers.h1, 'add', 'br116', 'metric 175');
      await known(peers.h1, address, 2);
      await leads(peers.h1, address, WIRE);
      await leads(peers.h2, address, 'br117');

      await route(peers.h2, 'add', 'br117', 'metric 190');
      await route(peers.h2, 'delete', 'br117', normal);
      await leads(peers.h1, address, 'br116');
      await leads(peers.h2, address, WIRE);

      await route(peers.h1, 'add', 'br116', 'metric 50');
      await route(peers.h1, 'delete', 'br116', 'metric 175');
      await leads(peers.h2, address, WIRE);
      await route(peers.h2, 'delete', 'br117', 'metric 190');
      await leads(peers.h2, address, WIRE);

      await route(peers.h2, 'add', 'br117', normal);
      await leads(peers.h1, address, 'br116');
      await route(peers.h1, 'delete', 'br116', 'metric 50');
      await leads(peers.h1, address, WIRE);
      await leads(peers.h2, address, 'br117');
    }
  });

  it('what a domain routes on comes after it, though its next hop still leads to a peer', async () => {
    for (const [six, inside] of [BEHIND, BEHIND6].entries()) {
      const via = six === 0 ? TWO[0] : TWO[1];
      const prefix = parsePrefix(six === 0 ? BEHIND : `${BEHIND6}/64`);
      const { up, down } = hostRoute({ prefix, bridge: 'br116', via: parseAddress(via) }, 'incoming');
      const linesOf = (actions: readonly Action[]): string =>
        actions.map(action => (action.kind === 'line' ? `${joinWords(action)}\n` : '')).join('');
      await peers.h1.host.run(['ip', '-batch', '-'], { input: linesOf(up(EMPTY_VIEW)) });
      await leads(peers.h2, inside, WIRE);
      await leads(peers.h1, via, WIRE);
      await peers.h1.host.attempt(['ip', '-force', '-batch', '-'], { input: linesOf(down(EMPTY_VIEW)) });
      const shown = () => peers.h2.host.run(['ip', 'route', 'show', 'exact', length(inside)]);
      await until(async () => !(await shown()).includes(WIRE), PATIENCE, 'the end of its route');
    }
  });

  it("neither the provider's gateway nor what isn't of a pool is told", async () => {
    await peers.h2.host.run(['ip', 'route', 'add', '123.45.53.13', 'dev', 'eth0', 'proto', '104']);
    await peers.h2.host.run(['ip', 'route', 'add', '198.51.100.7', 'dev', 'br117', 'proto', '104']);
    await peers.h2.host.run(['ip', 'route', 'add', '123.45.90.118', 'dev', 'br117', 'proto', '104']);
    await leads(peers.h1, '123.45.90.118', WIRE);
    for (const address of ['123.45.53.13', '198.51.100.7'])
      expect((await peers.h1.host.attempt(['birdc', 'show', 'route', 'for', address])).stdout).to.contain(
        'Network not found',
      );
  });

  it('doctor and check say what keeps the hosts apart, by the words of etcd and BIRD', async () => {
    const [{ host }, other] = [peers.h1, peers.h2.host];
    const client = `http://${onWire(1)}:2379`;
    const etcd = host.start([
      ...[
        'etcd',
        '--data-dir',
        '/run/etcd',
        '--listen-client-urls',
        client,
        '--advertise-client-urls',
        client,
      ],
      ...['--listen-peer-urls', 'http://127.0.0.1:2380'],
    ]);
    await host.sh(`echo '${onWire(2)} h2' >>/etc/hosts`);
    const hnet = async (command: string) => (await host.attempt([process.execPath, COMMAND, command])).stdout;
    await until(
      async () => (await host.attempt(['etcdctl', `--endpoints=${client}`, 'endpoint', 'health'])).code === 0,
      PATIENCE,
      'etcd',
    );
    const found = await hnet('doctor');
    for (const words of [
      'etcd has one member',
      `without encryption at ${client}`,
      "libvirt of h2 isn't reached",
    ])
      expect(found).to.contain(words);
    for (const words of [
      "etcd doesn't answer",
      'BIRD',
      'bird.conf',
      'rp_filter',
      'does not carry',
      'the name h2',
    ])
      expect(found).not.to.contain(words);
    expect(await hnet('check')).not.to.match(/etcd|BIRD/);

    await other.run(['birdc', 'down']);
    await etcd.stop();
    const lost = async () =>
      (await host.run(['birdc', 'show', 'protocols', 'all', 'h2_4'])).includes('Established');
    await until(async () => !(await lost()), PATIENCE, 'the session to end');
    const checked = await hnet('check');
    expect(checked).to.match(/BIRD .*no session with h2 \(h2_4 to 10\.9\.0\.2 is start/);
    expect(checked).to.contain(`etcd doesn't answer at ${client}`);
    const now = await hnet('doctor');
    expect(now).to.contain(`etcd doesn't answer at ${client}`).and.contain('BIRD has no session with h2');
  });

  it('is printed for FRR too; for nothing else, and not without a cluster', async () => {
    const text = await print(peers.h1, 'frr');
    expect(text)
      .to.contain(` neighbor ${onWire(2)} remote-as 65000`)
      .and.to.contain(onWire(2, 6));
    expect(
      (await peers.h1.host.attempt([process.execPath, COMMAND, 'host', '--format', 'quagga'])).stderr,
    ).to.contain('the formats are ifupdown, netplan, networkd, bird, frr');
    await peers.h1.host.write('/etc/hnet/hnet.toml', 'pools = []\n');
    const { code, stderr } = await peers.h1.host.attempt([
      process.execPath,
      COMMAND,
      'host',
      '--format',
      'bird',
    ]);
    expect(code).to.equal(1);
    expect(stderr).to.contain('/etc/hnet/hnet.toml has no table [cluster]');
  });
});

const length = (address: string): string => `${address}/${isIpv6(address) ? 128 : 32}`;

/** Waits until a host sends packets for an address by an interface. */
const leads = ({ host }: Filtered, address: string, device: string): Promise<unknown> =>
  until(
    async () => (await host.attempt(['ip', 'route', 'get', address])).stdout.includes(` dev ${device} `),
    PATIENCE,
    `${host.name} to send what is for ${address} by ${device}`,
  );

/** Waits until BIRD knows so many ways to an address. */
const known = ({ host }: Filtered, address: string, count: number): Promise<unknown> =>
  until(
    async () => (await host.run(['birdc', 'show', 'route', 'for', address])).split('unicast').length > count,
    PATIENCE,
    `${count} routes to ${address} in BIRD of ${host.name}`,
  );
