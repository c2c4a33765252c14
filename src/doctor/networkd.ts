import { type Diagnosis, diagnosis } from './diagnosis.ts';
import type { Facts } from './facts.ts';

/**
 * systemd-networkd deletes routes and rules that it didn't make, unless told not to, when it configures an interface: those
 * on that interface, and those on none, as a blackhole (systemd issue 25451, networkd.conf(5)).
 */
const FOREIGN: Readonly<Record<string, string>> = {
  ManageForeignRoutes: 'routes',
  ManageForeignRoutingPolicyRules: 'routing rules',
};

const MEND = `mkdir -p /etc/systemd/networkd.conf.d && printf '%s\\n' '[Network]' ${Object.keys(FOREIGN)
  .map(key => `${key}=no`)
  .join(' ')} >/etc/systemd/networkd.conf.d/hnet.conf && systemctl restart systemd-networkd`;

/** Only where it runs: elsewhere its configuration means nothing. */
export function checkNetworkd({ output }: Facts): Diagnosis[] {
  if (output('systemctl', 'is-active', 'systemd-networkd.service') === '') return [];
  const settings = networkSection(output('systemd-analyze', 'cat-config', 'systemd/networkd.conf'));
  const deleted = Object.entries(FOREIGN).filter(([key]) => !isNo(settings.get(key) ?? ''));
  if (deleted.length === 0) return [];
  return diagnosis(
    `systemd-networkd runs, and deletes ${deleted.map(([, what]) => what).join(' and ')} of others (${deleted.map(([key]) => key).join(', ')})`,
    "it takes away hnet's when it configures an interface, until hnet-watch or hnet sync brings them back",
    MEND,
  );
}

/** The file and its drop-ins, in the order in which they count: the last assignment holds, and an empty one resets it. */
function networkSection(text: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  let section = '';
  for (const line of text.split('\n').map(each => each.trim())) {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const [, key = '', value = ''] = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (section === 'Network' && key !== '') settings.set(key, value);
  }
  return settings;
}

/** What systemd takes for no (systemd.syntax(7)). */
const isNo = (value: string): boolean => /^(0|no|n|false|f|off)$/i.test(value);
