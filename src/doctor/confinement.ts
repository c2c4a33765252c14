import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, interpreterOf } from './facts.ts';

/** Whether a security module keeps libvirtd from running the hook. */
export function checkConfinement(facts: Facts): Diagnosis[] {
  return [...checkAppArmor(facts), ...checkSelinux(facts)];
}

/** The profile lets libvirtd execute a hook, and the hook execute programs of /usr/bin and /usr/sbin. */
function checkAppArmor(facts: Facts): Diagnosis[] {
  const profiles = facts.file('/sys/kernel/security/apparmor/profiles')?.text ?? '';
  if (!/libvirtd \(enforce\)/.test(profiles)) return [];
  const node = interpreterOf(facts)?.node;
  if (node === undefined || /^\/usr\/s?bin\//.test(node)) return [];
  return diagnosis(
    `AppArmor confines libvirtd, and the hook's interpreter is ${node}`,
    'the profile lets a hook execute programs of /usr/bin only',
    'sudo ./install.sh',
  );
}

function checkSelinux(facts: Facts): Diagnosis[] {
  if (facts.file('/sys/fs/selinux/enforce')?.text.trim() !== '1') return [];
  if (/ on$/.test(facts.output('getsebool', 'virt_hooks_unconfined').trim())) return [];
  return diagnosis(
    'SELinux is enforcing, and virt_hooks_unconfined is off',
    'the hook may not change the network',
    'setsebool -P virt_hooks_unconfined on',
  );
}
