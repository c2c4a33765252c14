import { confinementOfDnsmasq } from '../host/server-trouble.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, installAgain, interpreterOf } from './facts.ts';

/** Whether a security module keeps libvirtd from running the hook, or dnsmasq from hnet's files. */
export function checkConfinement(facts: Facts): Diagnosis[] {
  return [...checkAppArmor(facts), ...checkSelinux(facts), ...checkDnsmasq(facts)];
}

function checkDnsmasq(facts: Facts): Diagnosis[] {
  const found = confinementOfDnsmasq(path => facts.file(path)?.text);
  if (found === undefined || isPermissive(facts)) return [];
  return diagnosis(
    `${found.by}, and has not been told of hnet's files`,
    'no DHCP server of hnet starts, and no VM whose DHCP is on',
    found.mend,
  );
}

/** SELinux confines dnsmasq where its program is labelled so, unless the operator has made that domain permissive. */
const isPermissive = ({ output, file }: Facts): boolean =>
  file('/sys/fs/selinux/enforce')?.text.trim() === '1' &&
  (!/:dnsmasq_exec_t:/.test(output('stat', '--dereference', '--format=%C', '/usr/sbin/dnsmasq')) ||
    /^permissive_dnsmasq_t\b/m.test(output('semodule', '--list-modules')));

/** The profile lets libvirtd execute a hook, and the hook execute programs of /usr/bin and /usr/sbin. */
function checkAppArmor(facts: Facts): Diagnosis[] {
  const profiles = facts.file('/sys/kernel/security/apparmor/profiles')?.text ?? '';
  if (!/libvirtd \(enforce\)/.test(profiles)) return [];
  const node = interpreterOf(facts)?.node;
  if (node === undefined || /^\/usr\/s?bin\//.test(node)) return [];
  return diagnosis(
    `AppArmor confines libvirtd, and the hook's interpreter is ${node}`,
    'the profile lets a hook execute programs of /usr/bin only',
    installAgain(facts),
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
