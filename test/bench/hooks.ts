import type { Machine } from '../lab/machine.ts';
import { gateWith } from '../support/gate.ts';

/** Where libvirt looks for its hook, and where install.sh puts the program. */
export const HOOK = '/etc/libvirt/hooks/qemu.d/hnet';
export const BUNDLE = '/usr/lib/hnet/qemu.cjs';

/** The cheapest hook there can be. */
export const SH_HOOK = '#!/bin/sh\nexit 0\n';

/** A hook in node that does nothing but read what libvirt writes to it. */
export const nodeHook = (node: string): string => `#!${node}\nrequire('node:fs').readFileSync(0);\n`;

/** One VM's network as libvirt itself would make it: routed, with a DHCP server; to be defined as `net1`. */
export const OWN_NETWORK = `<network><name>net1</name><forward mode='route' dev='eth0'/><bridge name='net1'/>
<ip address='172.31.117.1' netmask='255.255.255.0'><dhcp><range start='172.31.117.10' end='172.31.117.200'/></dhcp></ip>
</network>`;

/** Our hook, with what runs the program behind its gate: an interpreter and its arguments, as shell words. */
export function ownHook(node: string, program = BUNDLE): string {
  const own = replaceOnce(gateWith('/usr/bin/node'), BUNDLE, program);
  return replaceOnce(own, '$node $program', `${node} $program`);
}

/** @throws Error where the hook has changed: what is measured would not be what was meant */
function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2) throw new Error(`Cannot find "${from}" once in hooks/qemu.sh`);
  return text.replace(from, () => to);
}

/** Replaces a hook as install.sh does: libvirt reads its content at every call, so it takes effect at once. */
export async function putHook(machine: Machine, text: string, path = HOOK): Promise<void> {
  await machine.run(
    [
      'sh',
      '-c',
      'mkdir -p "$(dirname "$0")" && cat >"$0.new" && chmod 755 "$0.new" && mv "$0.new" "$0"',
      path,
    ],
    {
      input: text,
    },
  );
}

/** The five calls of a start and a destroy, in order. */
export const OPERATIONS = [
  'prepare begin',
  'start begin',
  'started begin',
  'stopped end',
  'release end',
] as const;

/** How libvirt calls a hook for each of them; `xml` is a file in the machine. */
export const calls = (hook: string, domain: string, xml: string): string[] =>
  OPERATIONS.map(operation => `${hook} ${domain} ${operation} - <${xml}`);

/** Writes down how long each call of a hook takes, in microseconds; bash, for its clock costs no process. */
export const timedHook = (hook: string, log: string): string => `#!/bin/bash
a=$EPOCHREALTIME
${hook} "$@"
code=$?
b=$EPOCHREALTIME
echo "$2 $((\${b/./} - \${a/./}))" >>${log}
exit $code
`;
