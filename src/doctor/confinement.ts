import { confinementOfDnsmasq } from '../host/server-trouble.ts';
import { placeOf } from '../host/tools.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { daemonOf, type Facts, installAgain, interpreterOf } from './facts.ts';

/** Whether a security module keeps libvirt from running the hook, or dnsmasq from hnet's files. */
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
  (!/:dnsmasq_exec_t:/.test(
    output(
      'stat',
      '--dereference',
      '--format=%C',
      placeOf('dnsmasq', path => file(path) !== undefined) ?? 'dnsmasq',
    ),
  ) ||
    /^permissive_dnsmasq_t\b/m.test(output('semodule', '--list-modules')));

/** The profiles let the daemon execute a hook, and the hook execute programs of /usr/bin and /usr/sbin. */
function checkAppArmor(facts: Facts): Diagnosis[] {
  const profiles = facts.file('/sys/kernel/security/apparmor/profiles')?.text ?? '';
  const daemon = daemonOf(facts);
  // Older profiles are named after the program's path.
  if (!new RegExp(`(^|/)${daemon} \\((enforce|kill)\\)$`, 'm').test(profiles)) return [];
  const node = interpreterOf(facts)?.node;
  if (node === undefined || /^\/usr\/s?bin\//.test(node)) return [];
  return diagnosis(
    `AppArmor confines ${daemon}, and the hook's interpreter is ${node}`,
    'the profile lets a hook execute programs of /usr/bin only',
    installAgain(facts),
  );
}

/** What the boolean's rules don't say of virtqemud; see contrib/selinux/hnet.cil. */
const MODULE = '/usr/share/doc/hnet/selinux/hnet.cil';
const ALLOW = 'setsebool -P virt_hooks_unconfined on';

function checkSelinux(facts: Facts): Diagnosis[] {
  if (facts.file('/sys/fs/selinux/enforce')?.text.trim() !== '1') return [];
  const isAllowed = / on$/.test(facts.output('getsebool', 'virt_hooks_unconfined').trim());
  const why = 'the hook may not change the network';
  if (daemonOf(facts) === 'libvirtd')
    return isAllowed ? [] : diagnosis('SELinux is enforcing, and virt_hooks_unconfined is off', why, ALLOW);
  const isTold = /^hnet\b/m.test(facts.output('semodule', '--list-modules'));
  if (isAllowed && isTold) return [];
  return diagnosis(
    "SELinux is enforcing, and its policy lets no hook of virtqemud's change the network",
    `${why}, or isn't run at all; the module that allows it was never tried on such a host`,
    [...(isTold ? [] : [`semodule -i ${MODULE}`]), ALLOW].join(' && '),
  );
}
