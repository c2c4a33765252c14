import type { Tools } from '../host/host.ts';
import type { Domain } from '../model/domain.ts';
import { isUuid } from '../model/names.ts';
import { readDomain } from '../model/parse-domain.ts';
import { ifPossible } from '../model/refusal.ts';
import { splitDump } from './virsh.ts';

/** A connection that libvirt grants to every user. */
const VIRSH = ['virsh', '--quiet', '--readonly', '--connect', 'qemu:///system'];

/** Every domain as it would start next, by two processes; none where libvirt doesn't answer. */
export function readOnlyDomains(tools: Tools): Domain[] {
  const uuids = tools
    .output([...VIRSH, 'list', '--all', '--uuid'])
    .split('\n')
    .filter(isUuid);
  if (uuids.length === 0) return [];
  const all = tools.output([...VIRSH, uuids.map(uuid => `dumpxml --inactive ${uuid}`).join('; ')]);
  return splitDump(all).flatMap(xml => ifPossible(() => readDomain(xml)) ?? []);
}
