import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Lab } from './lab.ts';
import { run } from './run.ts';
import { INTERNET, INTERNET6 } from './site.ts';

/** Proves the lab itself: `npx tsx test/lab/selftest.ts`, as root. What it says of hnet's job is done by hand here. */
const begun = performance.now();
let last = begun;

function step(what: string): void {
  const now = performance.now();
  console.log(`${(now - last).toFixed(0).padStart(6)} ms  ${what}`);
  last = now;
}

/** The outer machine's own network, and everything on it that bears the name of one lab. */
async function outerMachine(mark: string): Promise<string> {
  const parts = await Promise.all([
    run(['ip', 'netns', 'list']),
    run(['ip', '-d', 'link']),
    run(['ip', 'address']),
    run(['ip', 'route', 'show', 'table', 'all']),
    run(['sysctl', 'fs.file-max', 'fs.nr_open', 'net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding']),
    run(['sh', '-c', 'grep -e "$0" /proc/self/mountinfo || true', mark]),
    run(['sh', '-c', 'find /sys/fs/cgroup /run/hnet-lab -name "*$0*" 2>/dev/null || true', mark]),
  ]);
  const network = parts.map(text => text.replaceAll(/valid_lft .*/g, ''));
  return [...network, ...commandLines().filter(line => line.includes(mark))].join('\n');
}

function commandLines(): string[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  return pids.map(pid => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  });
}

/** What hnet will do for an address, by hand. */
const bridge = (octet: number) => `
  ip link add br${octet} type bridge forward_delay 0 stp_state 0
  ip addr add 172.30.${octet}.1/24 dev br${octet}
  ip link set br${octet} addrgenmode none up
  ip route add 123.45.90.${octet}/32 dev br${octet}
  ip addr add fe80::1/64 dev br${octet} nodad
  ip -6 route add 2001:db8:12:48::${octet}/128 dev br${octet}
  sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1`;

const dnsmasq = (octet: number, mac: string) => `
  dnsmasq --conf-file=/dev/null --port=0 --interface=br${octet} --bind-interfaces --except-interface=lo \
    --dhcp-authoritative --no-ping --dhcp-leasefile=/run/leases-${octet} --pid-file=/run/dnsmasq-${octet}.pid \
    --shared-network=br${octet},123.45.90.${octet} --dhcp-range=123.45.90.${octet},static,255.255.255.255,3600 \
    --dhcp-host=${mac},123.45.90.${octet} --dhcp-option=3,172.30.${octet}.1 \
    --dhcp-option=121,172.30.${octet}.1/32,0.0.0.0,0.0.0.0/0,172.30.${octet}.1 </dev/null >/dev/null 2>&1`;

async function namespaceHost(lab: Lab): Promise<void> {
  const host = await lab.host('h2', { pools: ['123.45.90.118', '123.45.90.119', '2001:db8:12:48::118'] });
  step('namespace host up');
  assert.ok((await host.ping(INTERNET)) && (await host.ping(INTERNET6)));
  await host.sh(bridge(118));
  const guest = await host.guest({ name: 'vm1', bridge: 'br118' });
  await guest.static('123.45.90.118', host.address);
  await guest.static('2001:db8:12:48::118', 'fe80::1');
  step('bridge made, guest plugged in');
  for (const address of ['123.45.90.118', '2001:db8:12:48::118']) assert.ok(await lab.internet.ping(address));
  assert.ok((await guest.ping(INTERNET)) && (await guest.ping(INTERNET6)));
  step('static guest and the Internet ping each other, both families');
  await host.sh(bridge(119));
  const client = await host.guest({ name: 'vm2', bridge: 'br119' });
  await host.sh(dnsmasq(119, client.mac));
  assert.equal((await client.dhcp()).ip, '123.45.90.119');
  assert.ok(await lab.internet.ping('123.45.90.119'));
  step('DHCP guest has its public address and is reached');
  await host.remove();
  step('namespace host removed');
}

async function hypervisor(lab: Lab): Promise<void> {
  const hv = await lab.hypervisor('h1');
  step('hypervisor booted, libvirtd answers');
  const mac = '52:54:00:00:01:17';
  await hv.sh([bridge(116), bridge(117), dnsmasq(117, mac)].join('\n'));
  const still = await hv.vm({
    name: '$(id) <vm1>',
    nic: { type: 'bridge', source: 'br116' },
    append: `addr=123.45.90.116 gw=${hv.address} addr6=2001:db8:12:48::116 ping=${INTERNET}`,
  });
  const client = await hv.vm({ name: 'vm2', mac, nic: { type: 'bridge', source: 'br117' } });
  step('two VMs defined (the first needs the kernel)');
  await Promise.all([still.start(), client.start()]);
  step('two VMs started');
  assert.equal(await still.ready(), 'static 123.45.90.116 2001:db8:12:48::116');
  assert.equal(await client.ready(), 'dhcp 123.45.90.117');
  step('two VMs configured');
  for (const address of ['123.45.90.116', '123.45.90.117', '2001:db8:12:48::116']) {
    assert.ok(await lab.internet.ping(address), address);
  }
  await still.waitConsole(/HNET-PING .* ok/);
  assert.ok((await still.ping('123.45.90.117')) && (await client.ping(INTERNET)));
  assert.equal(await lab.internet.sh(`busybox wget -qO- http://123.45.90.117/`), 'a guest of hnet');
  assert.deepEqual(await client.attempt('echo heard; exit 7'), { code: 7, stdout: 'heard', stderr: '' });
  step('VMs, the Internet and each other: ping, HTTP, shell');
  await hv.reboot();
  assert.equal((await hv.run(['ip', '-o', 'link'])).split('\n').length, 2);
  step('rebooted: only lo and eth0 are left');
}

/** A lab in a process that is killed has no chance to clean up; the next one does it. */
async function killed(): Promise<string> {
  const script = `import { Lab } from '${new URL('lab.ts', import.meta.url)}';
    const lab = await Lab.create();
    await lab.hypervisor('h1');
    process.stdout.write(lab.dir, () => process.kill(process.pid, 'SIGKILL'));`;
  const argv = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', script];
  const dir = await run(['sh', '-c', '"$@" || true', 'sh', ...argv]);
  assert.match(dir, /^\/run\/hnet-lab\//);
  return basename(dir);
}

const before = await outerMachine('no such lab');
const dead = await killed();
assert.notEqual(await outerMachine(dead), before);
step('a lab with a hypervisor made and killed');
const lab = await Lab.create();
step('its remains swept, provider and Internet up');
assert.equal(await outerMachine(dead), before);
step('nothing of the killed lab is left');
await namespaceHost(lab);
await hypervisor(lab);
lab.remove();
step('lab removed');
assert.equal(await outerMachine(basename(lab.dir)), before);
step('links, routes, mounts, processes and groups are as before');
console.log(`${(performance.now() - begun).toFixed(0).padStart(6)} ms  in all`);
