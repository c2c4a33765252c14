import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { DAEMONS, type Facts, type File, findHook, installAgain, interpreterOf, PLACES } from './facts.ts';

/** Without the hook a VM starts as if nothing were wrong, and has no network. */
export function checkHook(facts: Facts): Diagnosis[] {
  const found = findHook(facts);
  if (found === undefined)
    return diagnosis(
      `there is no hook of hnet's at ${PLACES.join(' or ')}`,
      'VMs start without their addresses',
      installAgain(facts),
    );
  return [...checkFile(found.path, found.file), ...checkInterpreter(facts), ...checkSeen(found, facts)];
}

function checkFile(path: string, { mode, owner, isRegular }: File): Diagnosis[] {
  if (isRegular && owner === 0 && (mode & 0o111) === 0o111 && (mode & 0o022) === 0) return [];
  return diagnosis(
    `${path} is not an executable file of root's (mode ${(mode & 0o777).toString(8)}, owner ${owner})`,
    'libvirt silently skips a hook that it may not execute, and one that others may write lets them become root',
    `chown root:root ${path} && chmod 755 ${path}`,
  );
}

/** The oldest Node.js that hnet runs on; install.sh has the same number. */
const OLDEST = [20, 12] as const;

function checkInterpreter(facts: Facts): Diagnosis[] {
  const { node, program } = interpreterOf(facts) ?? {};
  if (node === undefined || program === undefined) return [];
  const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)/.exec(facts.output(node, '--version')) ?? [];
  if (Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]))
    return diagnosis(
      `the hook's interpreter ${node} doesn't run, or is older than ${OLDEST.join('.')}`,
      'no VM of ours starts',
      installAgain(facts),
    );
  if (facts.file(program) !== undefined) return [];
  return diagnosis(
    `${program} is missing`,
    'the hook has nothing to run, and no VM of ours starts',
    installAgain(facts),
  );
}

/** The daemon looks for a hook only when it starts and when it is reloaded. */
function checkSeen({ path, file }: { path: string; file: File }, facts: Facts): Diagnosis[] {
  return DAEMONS.flatMap(daemon => {
    const shown = facts.output('systemctl', 'show', `${daemon}.service`, ...PROPERTIES);
    const since = Number(/^StateChangeTimestamp=@(\d+)/m.exec(shown)?.[1] ?? Number.NaN);
    if (!/^ActiveState=active$/m.test(shown) || !(since < Math.floor(file.since))) return [];
    return diagnosis(
      `${daemon} has not been reloaded since ${path} was put there`,
      'it may not know that there is a hook',
      `systemctl reload ${daemon}`,
    );
  });
}

const PROPERTIES = ['--timestamp=unix', '--property=ActiveState', '--property=StateChangeTimestamp'];
