/**
 * A domain's release as a shell script, which the hook's gate runs instead of node: node's own start takes longer than
 * all that a release does.
 *
 * The attachment alone tells what a release takes down, so the start writes the script beside it, and whatever rewrites
 * the attachment removes the script. The script decides nothing: if a command fails, it exits with an error, and the
 * hook's program does the whole release; so it does where the gate can't prove that the script is whole and the
 * attachment's own. A domain with rules or forwards has no script, because its release has to look first; nor has one that
 * moves between hosts, of which nobody knows which routes it has.
 */
import type { Firewall, Tally } from '../firewall/rules/backend.ts';
import { firewallFor } from '../host/choose-backend.ts';
import { halfOf } from '../host/files.ts';
import { lockFile } from '../host/lock.ts';
import { PATH } from '../host/tools.ts';
import type { Attachment } from '../model/attachment.ts';
import { bridgesOf, publicOf } from '../model/bridge.ts';
import { claimPath, claimsOf } from '../model/claims.ts';
import { lineAround } from '../model/journal.ts';
import { LEAVING_NAME } from '../model/names.ts';
import { DEFAULT_CONFIG } from '../model/parse-config.ts';
import { isTracked } from '../model/policy.ts';
import { quote } from '../model/refusal.ts';
import { shellWord } from '../model/shell.ts';
import { EMPTY_VIEW } from '../model/view.ts';
import { domainPlan } from '../plan/plan.ts';
import { type Action, type BatchTool, batchCommand, joinWords } from '../resources/action.ts';
import type { Resource } from '../resources/resource.ts';
import { fileOf, scriptOf } from '../state/attachment-files.ts';
import { writeScript } from '../state/attachment-store.ts';
import { bootId, factsOf, journalFile } from '../state/journal.ts';
import { tallyFile } from '../state/tally.ts';

/** The exit code of a script that has done all of it: an empty one ends with 0. The gate (hooks/qemu.sh) has it too. */
const DONE = 42;

/** What ends with a domain, in the order in which it came up. */
const holdings = (attachment: Attachment, firewall: Firewall): Resource[] =>
  domainPlan(attachment, DEFAULT_CONFIG.dhcp, firewall);

/** Whether a release must look at what is tracked. */
const looksFirst = ({ policy, forwards = [] }: Attachment): boolean =>
  isTracked(policy) || forwards.length > 0;

/**
 * The script of a domain's release; undefined where only the program can do it. Starting a process costs more than
 * anything the script does, so the process that deletes the filter's entries also prints what they counted.
 * @param boot the kernel's boot ID, for the journal: the script doesn't outlive this run of the host
 */
export function releaseScript(attachment: Attachment, boot: string): string | undefined {
  if (attachment.state !== undefined) return undefined;
  const firewall = firewallFor(attachment);
  const prefixes = publicOf(attachment.addresses);
  const tally = firewall.tally(prefixes);
  if (looksFirst(attachment) || tally === undefined) return undefined;
  const actions = actionsOf(attachment, firewall);
  if (!actions.every(({ kind }) => SAYABLE.includes(kind))) return undefined;
  return [
    PREAMBLE,
    `clear_for ${prefixes.map(tallyFile).map(shellWord).join(' ')}`,
    ...only(actions, 'terminate').map(
      ({ pidFile, marker }) => `terminate ${shellWord(pidFile)} ${shellWord(marker)}`,
    ),
    ...removeLinks(actions),
    ...countAndRemove(tally, actions),
    ...prefixes.map(
      prefix => `printf '%s\\n' ${attachment.domain} "$counted" >${shellWord(tallyFile(prefix))}`,
    ),
    'gone',
    ...leaveBehind(attachment, actions, boot),
    `rm -f ${filesOf(attachment, actions).map(shellWord).join(' ')}`,
    `exit ${DONE}`,
  ].join('\n');
}

/** Writes the script of a domain's release beside its attachment. */
export function keepScript(attachment: Attachment): void {
  const script = releaseScript(attachment, bootId());
  if (script !== undefined) writeScript(attachment, script);
}

const actionsOf = (attachment: Attachment, firewall: Firewall): Action[] =>
  holdings(attachment, firewall)
    .toReversed()
    .flatMap(resource => resource.down(EMPTY_VIEW))
    .filter(action => !isPrecaution(action));

function removeLinks(actions: readonly Action[]): string[] {
  const { argv, stdin } = batchCommand('ip', linesFor('ip', actions), false);
  return [`${argv.join(' ')} <<'END'`, `${stdin}END`];
}

/** `end` shows that the tool succeeded: of a pipe, sh reports the last command's status only. */
function countAndRemove({ tool, ask, own }: Tally, actions: readonly Action[]): string[] {
  const { argv, stdin } = batchCommand(tool, [...ask, ...linesFor(tool, actions)], false);
  return [
    `counted=$({ ${argv.join(' ')} <<'END' && echo end; }${picking(own)}`,
    `${stdin}END`,
    ')',
    'case $counted in *end) ;; *) exit 1 ;; esac',
  ];
}

/** Commands that continue after the script has ended: deleting the bridges, a line for the log, and one for the journal. */
function leaveBehind(attachment: Attachment, actions: readonly Action[], boot: string): string[] {
  const { domain, name, addresses } = attachment;
  const bridges = bridgesOf(domain, addresses).map(bridge => bridge.name);
  const message = shellWord(`release ${quote(name)}: took down ${bridges.join(', ')}`);
  const commands = [
    ...only(actions, 'launch').map(({ argv }) => argv),
    ['logger', '-t', 'hnet', '-p', 'daemon.info', '--', message],
  ];
  return [
    '# Nobody waits for these, and they keep no lock.',
    // What is killed on the way to the journal has left no bridge.
    `{ ${commands
      .map(argv => `${argv.join(' ')} || :; `)
      .join('')
      .trimEnd()}`,
    ...recordStop(attachment, boot),
    '} 4>&- &',
  ];
}

/** What state/journal.ts writes. The shell knows no time: it takes a process, for which the release doesn't wait. */
function recordStop({ domain: uuid, name, addresses }: Attachment, boot: string): string[] {
  const lines = factsOf('stop', { name, uuid, addresses }).map(fact => {
    const [before, after] = lineAround(fact, boot);
    return `printf '%s%s%s\\n' ${shellWord(before)} "$2" ${shellWord(after)}`;
  });
  return [
    "set -- $(date -u '+%Y-%m %Y-%m-%dT%H:%M:%S.%3NZ' || :)",
    // Each is a write by itself: what is longer than a shell's buffer would be torn.
    `clear_for "${journalFile('$1')}" && { ${lines.join('\n')}\n} >>"${journalFile('$1')}" || :`,
  ];
}

/** Claims come before the attachment: one whose attachment is gone is free for any domain. */
const filesOf = (attachment: Attachment, actions: readonly Action[]): string[] => [
  ...only(actions, 'remove').flatMap(({ path }) => [path, halfOf(path)]),
  ...[...claimsOf(attachment)].map(claimPath),
  fileOf(attachment.domain),
  scriptOf(attachment.domain),
];

/** The kinds of actions that a script has words for. */
const SAYABLE: readonly Action['kind'][] = ['terminate', 'line', 'remove', 'launch'];

const only = <K extends Action['kind']>(
  actions: readonly Action[],
  kind: K,
): Extract<Action, { kind: K }>[] =>
  actions.filter((action): action is Extract<Action, { kind: K }> => action.kind === kind);

const linesFor = (tool: BatchTool, actions: readonly Action[]): string[] =>
  only(actions, 'line')
    .filter(line => line.tool === tool)
    .map(joinWords);

/** Keeps the lines that hold one of some texts. */
const picking = (texts: readonly string[]): string =>
  texts.length === 0 ? '' : ` | grep -F ${[...texts, 'end'].map(text => `-e ${shellWord(text)}`).join(' ')}`;

/**
 * Deletes a bridge that an earlier release left under the name that this one needs. If there is one, renaming fails, and
 * the program does the release.
 */
const isPrecaution = (action: Action): boolean =>
  action.kind === 'line' && action.words[1] === 'delete' && LEAVING_NAME.test(action.words[3] ?? '');

/** Descriptor 4 holds the lock. What has been told to end has a second for it; the program would use force then. */
const PREAMBLE = `# hnet: what ends with this domain. Where anything is amiss, the program does it anew.
set -e
umask 077
export PATH=${PATH} LC_ALL=C
ending=
line=
# What a process was started with: nothing, where it has ended.
started() {
  line=
  { IFS= read -r line <"/proc/$1/cmdline"; } 2>/dev/null || :
}
# PIDFILE MARKER: the process of a file, if it is still the one that was started with the marker, which is a file too.
terminate() {
  [ -f "$1" ] || { [ ! -e "$1" ] && [ ! -e "$2" ]; return; }
  read -r pid <"$1"
  started "$pid"
  case $line in *"$2"*) kill "$pid" ;; *) exit 1 ;; esac
  ending="$ending $pid"
}
gone() {
  for pid in $ending; do
    tries=0
    started "$pid"
    while [ -n "$line" ]; do
      tries=$((tries + 1))
      [ $tries -lt 120 ] || exit 1
      [ $tries -lt 20 ] || sleep 0.01
      started "$pid"
    done
  done
}
# Whether a file may be written to: at a pipe one would wait, and a link leads elsewhere.
is_free() {
  [ ! -L "$1" ] && { [ -f "$1" ] || [ ! -e "$1" ]; }
}
# FILE...: removes what stands in their place.
clear_for() {
  for file; do is_free "$file" || rm -df "$file"; done
}
# The release itself.
is_free ${lockFile('sync')}
exec 4>>${lockFile('sync')}
flock --shared --wait 10 4`;
