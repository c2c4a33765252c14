import type { Tools } from '../host/host.ts';
import { isUuid } from '../model/names.ts';

/** libvirt's UUID of this host: it lets no domain move between two that have the same. Undefined where it can't be asked. */
export function hostUuid(tools: Tools): string | undefined {
  const capabilities = tools.output([
    'virsh',
    '--quiet',
    '--readonly',
    '--connect',
    'qemu:///system',
    'capabilities',
  ]);
  const [, uuid = ''] = /<uuid>(.*?)<\/uuid>/.exec(capabilities) ?? [];
  return isUuid(uuid) ? uuid : undefined;
}
