/** What keeps a DHCP server from coming up, or from being the only one on its bridge. */
import { familiesIn } from '../host/choose-backend.ts';
import { type Holder, holdersCommand, nameHolder, parseHolders } from '../host/server-trouble.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** DHCP and DHCPv6 at the server (IANA). */
const PORTS = { 4: 67, 6: 547 } as const;

export function checkDhcp(facts: Facts): Diagnosis[] {
  return familiesIn(knownValue(facts.config)?.pools ?? []).flatMap(family => checkPort(PORTS[family], facts));
}

function checkPort(port: number, facts: Facts): Diagnosis[] {
  const text = facts.output(...holdersCommand(port));
  const commandLine = (pid: number) => facts.file(`/proc/${pid}/cmdline`)?.text;
  const others = parseHolders(text, commandLine);
  // Where one of ours has the port, they share it.
  const isShared = parseHolders(text, () => undefined).length > others.length;
  return others.flatMap(holder => {
    if (holder.device !== undefined)
      return isOurs(holder.device, facts)
        ? found(
            `${nameHolder(holder)} serves DHCP on ${holder.device} too`,
            'the VM may get its lease',
            holder,
            facts,
          )
        : [];
    if (isShared) return [];
    const what = `${nameHolder(holder)} holds UDP port ${port} on every interface`;
    return found(what, 'no DHCP server of hnet starts beside it, and no VM gets a lease', holder, facts);
  });
}

const isOurs = (device: string, { network }: Facts): boolean =>
  network.links.get(device)?.alias.startsWith('hnet ') ?? false;

const found = (what: string, why: string, { pid }: Holder, facts: Facts): Diagnosis[] =>
  diagnosis(what, why, `${endOf(pid, facts)}  # or let it bind interfaces of its own`);

/** Services whose stop would take more along than a DHCP server. */
const VITAL = /^(systemd-networkd|NetworkManager|libvirtd|virtqemud|virtnetworkd|networking)\.service$/;

function endOf(pid: number, { file }: Facts): string {
  const [, unit] =
    /^0::\/(?:.*\/)?([A-Za-z0-9:_.@-]+\.service)$/m.exec(file(`/proc/${pid}/cgroup`)?.text ?? '') ?? [];
  return unit === undefined || VITAL.test(unit) ? `kill ${pid}` : `systemctl stop ${unit}`;
}
