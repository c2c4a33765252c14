import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { INTERNET } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { Endpoint } from '../support/endpoint.ts';
import { promtool } from '../support/promtool.ts';
import { Socket } from '../support/syscalls.ts';
import { Stage } from './stage.ts';

type Vm = Awaited<ReturnType<Stage['hv']['vm']>>;
type Guest = Awaited<ReturnType<Stage['hv']['guest']>>;

const IP = '123.45.90.116';

interface Shown {
  readonly domain: string;
  readonly default: string;
  readonly isolate: boolean;
  readonly rules: readonly { number: number | null; rule: string; packets: number; bytes: number }[];
}

interface Traffic {
  readonly addresses: readonly {
    readonly domain: string;
    readonly address: string;
    readonly sinceStart: Both;
    readonly total: Both;
  }[];
  readonly dropped: Readonly<Record<string, Counter>>;
}

interface Counter {
  readonly packets: number;
  readonly bytes: number;
}

interface Both {
  readonly in: Counter;
  readonly out: Counter;
}

/** Where Debian's node_exporter reads files. */
const TEXTFILES = '/var/lib/prometheus/node-exporter';

/** A session of an operator who sets a running VM's policy, and looks at its traffic. */
describe('hnet firewall and hnet traffic', () => {
  const stage = new Stage();
  let vm: Vm;
  /** What has the VM's address once the VM boots no more. */
  let guest: Guest | undefined;
  let guests = 0;

  before(async () => {
    const nic = { type: 'network', source: 'default' } as const;
    vm = await stage.hv.vm({ name: 'vm1', nic, append: `addr=${IP} gw=${stage.hv.address}` });
    await stage.ok('assign', 'vm1', IP);
    await vm.start();
    await vm.ready();
  });

  const firewall = (...words: string[]) => stage.ok('firewall', 'vm1', ...words);
  const shown = async () => JSON.parse(await stage.ok('firewall', 'vm1', '--json')) as Shown;
  const traffic = async () => JSON.parse(await stage.ok('traffic', '--json')) as Traffic;
  const address = async () => {
    const [row] = (await traffic()).addresses;
    if (row === undefined) throw new Error('there is no address');
    return row;
  };
  /** The lines of a table, the cells of each. */
  const cells = (text: string) => text.split('\n').map(line => line.trim().split(/ {2,}/));
  /** Waits for the VM's web page, as the Internet sees it. */
  async function seeWeb(): Promise<void> {
    const socket = Socket.inet(stage.lab.internet, 'tcp');
    await until(() => socket.connect({ ip: IP, port: 80 }), PATIENCE, "a connection to the VM's web server");
    const page = new Endpoint(socket);
    page.send('GET / HTTP/1.0\r\n\r\n');
    await page.until('a guest of hnet');
    page.close();
  }

  /** Asks for the VM's web page, and waits until the rules have dropped that. */
  async function seeNoWeb(): Promise<void> {
    const dropped = async () => (await shown()).rules.at(-1)?.packets ?? 0;
    const before = await dropped();
    const socket = Socket.inet(stage.lab.internet, 'tcp');
    socket.connect({ ip: IP, port: 80 });
    await until(async () => (await dropped()) > before, PATIENCE, 'a drop by the default');
    expect(socket.connect({ ip: IP, port: 80 })).to.equal(false);
    socket.close();
  }

  const reachInternet = () =>
    until(() => (guest ?? vm).ping(INTERNET), PATIENCE, 'an answer from the Internet');

  /** From its next start on nothing boots in the domain: that it does is known by then. */
  const bootNoMore = () =>
    stage.hv.sh(`virsh dumpxml --inactive vm1 | sed '/<kernel>/d; /<initrd>/d; /<cmdline>/d' >/root/vm1.xml
      virsh -q define /root/vm1.xml`);

  /** Starts the domain, and puts a guest with its address and a web page on its bridge. */
  async function startWithGuest(): Promise<void> {
    await guest?.unplug().catch(() => undefined);
    await vm.start();
    guests += 1;
    guest = await stage.hv.guest({ name: `guest${guests}`, bridge: 'br116' });
    await guest.static(IP, stage.hv.address);
    await guest.sh(
      'mkdir -p /run/www; echo "a guest of hnet" >/run/www/index.html; busybox httpd -h /run/www',
    );
  }

  it('shows a domain without rules as open', async () => {
    expect(cells(await firewall())).to.deep.equal([
      ['#', 'RULE', 'PACKETS', 'BYTES'],
      ['default allow', '0', '0'],
    ]);
    await seeWeb();
  });

  it('closes it at once: default deny', async () => {
    expect(cells(await firewall('default', 'deny')).at(-1)?.[0]).to.equal('default deny');
    await seeNoWeb();
    await reachInternet();
  });

  it('opens what the rules allow', async () => {
    await firewall('allow', 'tcp/22', 'from', '203.0.113.0/24');
    const table = await firewall('allow', 'tcp/80,443');
    expect(cells(table).map(line => line.slice(0, 2).join(' '))).to.include.members([
      '1 allow tcp/22 from 203.0.113.0/24',
      '2 allow tcp/80,443',
    ]);
    await seeWeb();
  });

  it('takes all kinds of rules, and a rule in one word', async () => {
    await firewall('deny', 'udp/1024-2047');
    await firewall('outbound deny tcp/25');
    await firewall('isolate', 'on');
    const { rules, isolate, default: inbound } = await shown();
    expect(rules.map(({ number, rule }) => [number, rule])).to.deep.equal([
      [1, 'allow tcp/22 from 203.0.113.0/24'],
      [2, 'allow tcp/80,443'],
      [3, 'deny udp/1024-2047'],
      [4, 'outbound deny tcp/25'],
      [null, 'default deny'],
    ]);
    expect([inbound, isolate]).to.deep.equal(['deny', true]);
    expect(await firewall()).to.include('isolated: no traffic with other domains of this host');
  });

  it('counts packets and bytes for the rule that decided', async () => {
    const before = (await shown()).rules;
    await seeWeb();
    await vm.attempt(`nc -w 1 ${INTERNET} 25 </dev/null`);
    const after = (await shown()).rules;
    const more = after.map(({ packets }, index) => packets - (before[index]?.packets ?? 0));
    expect(more[0]).to.equal(0);
    expect(more[1]).to.be.at.least(3);
    expect(more[2]).to.equal(0);
    expect(more[3]).to.be.at.least(1);
    expect(after[1]?.bytes).to.be.at.least((after[1]?.packets ?? 0) * 40);
  });

  it('is seen in the status', async () => {
    expect(await stage.ok('status')).to.match(/running .* deny, 4 rules, isolated +ok$/m);
    expect((await stage.status()).map(shown => shown.policy)).to.deep.equal(['deny, 4 rules, isolated']);
  });

  const bad: readonly (readonly [string[], RegExp])[] = [
    [
      ['allow', 'tcp/70000'],
      /^hnet: Cannot read the rule "allow tcp\/70000", column 7: .*not a port or range from 1 to 65535$/,
    ],
    [
      ['allow', 'tcp/22', 'form', '203.0.113.0/24'],
      /column 14: "form" isn't from, which is what inbound rules take$/,
    ],
    [
      ['allow', 'tcp/22', 'from', '203.0.113.1/24'],
      /column 19: "203\.0\.113\.1\/24" is not an address or subnet$/,
    ],
    [['permit', 'tcp/22'], /column 1: expected allow or deny, not "permit"$/],
    [['default', 'reject'], /^hnet: Cannot set default to "reject": it is allow or deny$/],
    [['isolate', 'maybe'], /^hnet: Cannot set isolate to "maybe": it is on or off$/],
    [['delete', '9'], /^hnet: Cannot delete rule "9": there are 4 rules$/],
    [['delete', '0'], /^hnet: Cannot delete rule "0"/],
    [['delete'], /^hnet: Cannot delete rule ""/],
  ];
  for (const [words, message] of bad) {
    it(`refuses "${words.join(' ')}", and changes nothing`, async () => {
      const state = async () => [
        await stage.xml('vm1'),
        await stage.xml('vm1', '--inactive'),
        await stage.hv
          .sh('iptables-save; ipset save; cat /run/hnet/attachments/*')
          .then(text => text.replace(/\[\d+:\d+\]|^#.*|packets .*/gm, '')),
      ];
      const before = await state();
      const { code, stdout, stderr } = await stage.hnet('firewall', 'vm1', ...words);
      expect([code, stdout]).to.deep.equal([2, '']);
      expect(stderr).to.match(message);
      expect(stderr.split('\n')).to.have.length(1);
      expect(await state()).to.deep.equal(before);
    });
  }

  it('refuses rules for a domain without an address, and a domain that is none', async () => {
    await stage.hv.vm({ name: 'vm2', nics: [], boots: false });
    const answer = await stage.hnet('firewall', 'vm2', 'default', 'deny');
    expect(answer).to.include({ code: 1, stdout: '' });
    expect(answer.stderr).to.match(/Cannot give rules to "vm2": it has no address/);
    expect((await stage.hnet('firewall', 'vm9')).stderr).to.match(/Cannot find a domain "vm9"/);
  });

  it('deletes a rule by its number, in force at once', async () => {
    const rules = cells(await firewall('delete', '2')).map(line => line.slice(0, 2).join(' '));
    expect(rules).to.include('2 deny udp/1024-2047').and.not.include('2 allow tcp/80,443');
    await seeNoWeb();
  });

  it('holds after the next start, and after a restart of libvirtd', async () => {
    await firewall('isolate', 'off');
    const before = await shown();
    await vm.destroy();
    await bootNoMore();
    await startWithGuest();
    await seeNoWeb();
    await reachInternet();
    await stage.hv.run(['systemctl', 'restart', 'libvirtd']);
    await seeNoWeb();
    const words = ({ rules, default: inbound, isolate }: Shown) => [
      inbound,
      isolate,
      rules.map(({ rule }) => rule),
    ];
    expect(words(await shown())).to.deep.equal(words(before));
  });

  it('counts the traffic of an address, in and out, since start and in total', async () => {
    await firewall('default', 'allow');
    const before = await address();
    await stage.lab.internet.run(['ping', '-n', '-q', '-c', '10', '-i', '0.05', '-s', '100', IP]);
    const after = await address();
    for (const kind of ['sinceStart', 'total'] as const)
      for (const way of ['in', 'out'] as const) {
        expect(after[kind][way].packets - before[kind][way].packets, `${kind} ${way}`).to.equal(10);
        expect(after[kind][way].bytes - before[kind][way].bytes, `${kind} ${way}`).to.equal(10 * 128);
      }
    const [header = '', row = ''] = (await stage.ok('traffic', 'vm1')).split('\n');
    expect(header).to.match(
      /^DOMAIN +ADDRESS +IN +PACKETS +OUT +PACKETS +TOTAL IN +PACKETS +TOTAL OUT +PACKETS$/,
    );
    expect(row).to.match(new RegExp(`^vm1 +${IP} +[\\d.]+ (B|KiB) +${after.sinceStart.in.packets} `));
  });

  it('keeps the totals over stop, sync, start and a reboot', async () => {
    const { total } = await address();
    await vm.destroy();
    expect((await address()).total.in.packets).to.be.at.least(total.in.packets);
    const stopped = (await address()).total;
    expect((await address()).sinceStart.in.packets).to.equal(0);
    await stage.ok('sync');
    expect((await address()).total).to.deep.equal(stopped);
    await startWithGuest();
    await stage.lab.internet.run(['ping', '-n', '-q', '-c', '10', '-i', '0.05', IP]);
    await stage.ok('sync');
    const running = (await address()).total;
    expect(running.in.packets - stopped.in.packets).to.be.at.least(10);
    await stage.hv.reboot();
    expect((await address()).total).to.deep.equal(running);
  });

  it('needs nothing to be running', async () => {
    expect(await stage.hv.virsh('domstate', 'vm1')).to.equal('shut off');
    await firewall('allow', 'tcp/80');
    expect((await shown()).rules.map(({ rule }) => rule)).to.include('allow tcp/80');
    await startWithGuest();
    await firewall('default', 'deny');
    await seeWeb();
  });

  it('speaks to Prometheus: the text exposition format, names that begin with hnet_', async () => {
    const text = await stage.ok('traffic', '--prometheus');
    const metrics = parseExposition(text);
    const { total } = await address();
    expect([...metrics.keys()].every(name => name.startsWith('hnet_'))).to.equal(true);
    const labels = `domain="vm1",address="${IP}"`;
    expect(metrics.get('hnet_receive_packets_total')?.get(labels)).to.be.within(1, total.in.packets);
    expect(metrics.get('hnet_transmit_bytes_total')?.get(labels)).to.be.within(1, total.out.bytes);
    const causes = [...(metrics.get('hnet_dropped_packets_total')?.keys() ?? [])];
    expect(causes).to.include('cause="source not routed to its bridge"');
  });

  it('has a timer that is off, and whose service writes all metrics for node_exporter', async () => {
    expect((await stage.hv.attempt(['systemctl', 'is-enabled', 'hnet-metrics.timer'])).stdout).to.equal(
      'disabled',
    );
    expect((await stage.hv.attempt(['systemctl', 'start', 'hnet-metrics.service'])).code).not.to.equal(0);
    await stage.hv.sh(`mkdir -p ${TEXTFILES}`);
    await stage.ok('sync');
    await stage.hv.run(['systemctl', 'start', 'hnet-metrics.service']);
    const text = await stage.hv.read(`${TEXTFILES}/hnet.prom`);
    expect(await stage.hv.run(['stat', '-c', '%a', `${TEXTFILES}/hnet.prom`])).to.equal('644');
    expect(await promtool(['check', 'metrics'], `${text}\n`)).to.include({ code: 0, stderr: '' });
    expect(await promtool(['check', 'rules', 'contrib/prometheus/hnet.rules.yml'])).to.include({ code: 0 });

    const metrics = parseExposition(text);
    const value = (name: string, labels = '') => metrics.get(name)?.get(labels);
    const { total } = await address();
    expect(value('hnet_receive_packets_total', `domain="vm1",address="${IP}"`)).to.equal(total.in.packets);
    const pool = 'pool="123.45.90.112/29",family="ipv4"';
    expect(value('hnet_pool_size_addresses', pool)).to.equal(8);
    expect(value('hnet_pool_addresses', `${pool},state="free"`)).to.equal(7);
    expect(value('hnet_pool_addresses', `${pool},state="up"`)).to.equal(1);
    expect(value('hnet_host_faults')).to.equal(0);
    expect(value('hnet_domain_faults', 'domain="vm1"')).to.be.at.least(0);
    const rule = 'domain="vm1",number="default",rule="default deny"';
    expect(value('hnet_rule_packets_total', rule)).to.equal((await shown()).rules.at(-1)?.packets);
    expect(value('hnet_last_sync_timestamp_seconds')).to.be.closeTo(Date.now() / 1000, 600);
    expect(value('hnet_neighbour_entries', 'family="ipv4"')).to.be.at.least(1);
    expect(value('hnet_conntrack_limit_entries')).to.be.above(value('hnet_conntrack_entries') ?? Infinity);
    expect([...(metrics.get('hnet_collector_success')?.values() ?? [])]).to.deep.equal(Array(6).fill(1));
    expectWatched([...metrics.keys()]);
  });

  it('counts what is wrong with a domain, and what the daemon repairs', async () => {
    const repairs = async () => Number(/^hnet_repairs_total (\d+)$/m.exec(await stage.ok('metrics'))?.[1]);
    const before = await repairs();
    await stage.hv.sh(`ip route del ${IP} dev br116`);
    expect(await stage.ok('metrics')).to.match(/^hnet_domain_faults\{domain="vm1"\} [1-9]/m);
    await stage.hv.run(['systemctl', 'start', 'hnet-watch']);
    try {
      await until(async () => (await repairs()) > before, PATIENCE, 'a repair');
      expect(await stage.ok('metrics')).to.match(/^hnet_domain_faults\{domain="vm1"\} 0$/m);
    } finally {
      await stage.hv.run(['systemctl', 'stop', 'hnet-watch']);
    }
  });

  it('counts what is dropped, and why', async () => {
    const spoofed = async () => (await traffic()).dropped['source not routed to its bridge']?.packets ?? 0;
    // So that it knows the gateway's MAC: an ARP request under a foreign address isn't even answered.
    await reachInternet();
    const before = await spoofed();
    const ping = await guest?.attempt([
      'sh',
      '-c',
      `ip addr add 8.8.8.8/32 dev lo; busybox ping -c 3 -W 1 -I 8.8.8.8 ${INTERNET}`,
    ]);
    expect(ping?.stdout).to.contain('3 packets transmitted, 0 packets received');
    expect((await spoofed()) - before).to.equal(3);
    expect(await stage.ok('traffic')).to.match(
      /^DROPPED +PACKETS +BYTES\n(.*\n)*source not routed to its bridge +\d+ /m,
    );
  });

  it('says that the rules go with the last address, whoever takes it', async () => {
    await stage.hv.vm({ name: 'taker', nics: [], boots: false });
    const gone = /^hnet: "vm1" has no address left, and with it its rules are gone \(deny, \d rules?\)$/;
    expect((await stage.hnet('move', IP, 'vm1', 'taker')).stderr).to.match(gone);
    const back = await stage.hnet('move', IP, 'taker', 'vm1');
    expect([back.code, back.stderr]).to.deep.equal([0, '']);
    expect((await stage.status()).map(shown => shown.policy)).to.deep.equal(['open']);
    await firewall('isolate', 'on');
    expect((await stage.hnet('unassign', 'vm1', '--all')).stderr).to.match(/rules are gone \(isolated\)$/);
    expect((await stage.hnet('unassign', 'vm1', '--all')).stderr).to.equal('');
  });
});

/** Metric → labels → value, by the grammar of the text exposition format 0.0.4; what doesn't fit it is an error. */
/** What contrib/ watches is printed, or is node_exporter's own word on the file. */
function expectWatched(printed: readonly string[]): void {
  for (const file of ['prometheus/hnet.rules.yml', 'grafana/hnet.json']) {
    const text = readFileSync(new URL(`../../contrib/${file}`, import.meta.url), 'utf8');
    const watched = text.match(/\b(hnet|node_textfile)_\w+/g) ?? [];
    expect(watched, file).to.have.length.above(9);
    expect([...printed, 'node_textfile_mtime_seconds']).to.include.members(watched);
  }
}

function parseExposition(text: string): Map<string, Map<string, number>> {
  const metrics = new Map<string, Map<string, number>>();
  for (const line of text.split('\n')) {
    const [, name, kind] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge)$/.exec(line) ?? [];
    if (name !== undefined && kind !== undefined) metrics.set(name, new Map());
    if (line.startsWith('#')) {
      expect(line).to.match(/^# (HELP|TYPE) [a-zA-Z_:][\w:]* .+$/);
      continue;
    }
    const [, metric = '', labels = '', value] =
      /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\d+(?:\.\d+)?)$/.exec(
        line,
      ) ?? [];
    expect(value, line).not.to.equal(undefined);
    const samples = metrics.get(metric);
    if (samples === undefined) throw new Error(`${metric} has no TYPE before it`);
    expect(samples.has(labels), line).to.equal(false);
    samples.set(labels, Number(value));
  }
  return metrics;
}
