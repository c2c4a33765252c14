import type { Host } from '../../lab/host.ts';
import { until } from '../../lab/wait.ts';
import { assemble, serve } from '../crowded.ts';
import { type Figure, figure } from '../figure.ts';
import { BUNDLE } from '../hooks.ts';
import { inLab, type Row } from '../row.ts';
import { installed, OTHER_NIC, PRIVATE_NODE } from '../stage.ts';

const SCOPES = 100;

/** What hnet takes of memory, disk and process table. */
export const footprint: Row = {
  name: 'footprint',
  title: 'footprint',
  run: () =>
    inLab(async lab => {
      const host = await lab.host('h2', { pools: [] });
      await assemble(host, SCOPES);
      await serve(host, SCOPES);
      const memory = await memoryOf(host);
      const hv = await installed(lab);
      const size = async (...paths: string[]) =>
        Number(
          (await hv.run(['du', '-sc', '--apparent-size', '--block-size=1', ...paths])).match(
            /(\d+)\ttotal/,
          )?.[1],
        ) / 1e6;
      await hv.vm({ name: 'ours', nic: OTHER_NIC });
      await hv.run(['hnet', 'assign', 'ours', '10.32.0.116']);
      await hv.sh('virsh dumpxml ours >/root/ours.xml');
      const watch = await memoryOfWatch(hv);
      // It would clean up after a domain that doesn't run.
      await hv.run(['systemctl', 'stop', 'hnet-watch.service']);
      return [
        figure(`memory of one DHCP server, of ${SCOPES}`, 'MB', memory),
        single(
          `memory of all ${SCOPES} DHCP servers`,
          'MB',
          memory.reduce((a, b) => a + b, 0),
        ),
        single('memory of hnet watch, with the programs it listens to', 'MB', watch),
        single(
          'installed program',
          'MB',
          await size('/usr/lib/hnet', '/usr/bin/hnet', '/usr/bin/hnet-assign'),
        ),
        single('  of it what the hook loads', 'MB', await size(BUNDLE, BUNDLE.replace('qemu', 'program'))),
        single('private node, where the system has none', 'MB', await size(PRIVATE_NODE)),
        single(
          'programs executed by a start (prepare, start, started)',
          '',
          await executed(hv, ['prepare begin', 'start begin', 'started begin']),
        ),
        single(
          'programs executed by a stop (stopped, release)',
          '',
          await executed(hv, ['stopped end', 'release end']),
        ),
      ];
    }),
};

const single = (what: string, unit: string, value: number): Figure => figure(what, unit, [value]);

/** Proportional: what servers share counts once. */
async function memoryOf(host: Host): Promise<number[]> {
  const script = 'for pid in $(pgrep -x dnsmasq); do grep ^Pss: /proc/$pid/smaps_rollup; done';
  const lines = (await host.sh(script)).split('\n').map(line => Number(/(\d+) kB/.exec(line)?.[1]) / 1000);
  if (lines.length !== SCOPES) throw new Error(`Cannot measure ${SCOPES} DHCP servers: ${lines.length} run`);
  return lines;
}

/** With its children: virsh, ip and nft tell it of events. A DHCP server is none, for it has a session of its own. */
async function memoryOfWatch(hv: Host): Promise<number> {
  const script = `main=$(systemctl show -P MainPID hnet-watch.service)
    for pid in $main $(pgrep -P $main -x 'virsh|ip|nft'); do sed -n 's/^Pss: *//p' /proc/$pid/smaps_rollup; done`;
  const lines = await until(
    async () => {
      const { stdout } = await hv.attempt(['sh', '-c', script]);
      const found = stdout.match(/\d+/g) ?? [];
      return found.length > 1 ? found : undefined;
    },
    30_000,
    'hnet watch and what it listens to',
  );
  return lines.reduce((total, line) => total + Number(line), 0) / 1000;
}

/** Counts the calls of execve(2) by the hook and everything below it. */
async function executed(hv: Host, operations: readonly string[]): Promise<number> {
  let count = 0;
  for (const operation of operations) {
    // strace would stay with the DHCP server, which outlives the hook.
    const call = `/etc/libvirt/hooks/qemu.d/hnet ours ${operation} - </root/ours.xml; touch /root/done`;
    await hv.run(['rm', '-f', '/root/done']);
    const tracer = hv.start([
      'strace',
      '-f',
      '-qq',
      '-e',
      'trace=execve',
      '-o',
      '/root/trace',
      'sh',
      '-c',
      call,
    ]);
    await until(async () => (await hv.attempt(['test', '-e', '/root/done'])).code === 0, 20_000, operation);
    await tracer.stop();
    const calls = [...(await hv.read('/root/trace')).matchAll(/execve(?:\(| resumed>).* = 0$/gm)].length;
    // The shell around it, and touch.
    count += calls - 2;
  }
  return count;
}
