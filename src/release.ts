/**
 * A domain's release as a shell script, which the hook's gate runs instead of node: node's own start takes longer than
 * all that a release does.
 *
 * What a release takes down follows from the attachment alone, so the start writes it down beside that. Whatever
 * rewrites the attachment removes the script. It decides nothing: where anything isn't as it was left, it ends with an
 * error, and the hook's program does the release, as if nothing had been done. Domains whose release has to look first
 * (those with rules) have none.
 */
import { type Action, type Batch, batchCommand, batches, quoted } from './action.ts';
import { type Attachment, fileOf, scriptOf } from './attachments.ts';
import { firewallFor } from './backend.ts';
import { claimPath, claimsOf } from './claims.ts';
import { DEFAULT_CONFIG } from './config.ts';
import { halfOf } from './files.ts';
import type { Firewall } from './firewall/firewall.ts';
import { isTracked } from './firewall/policy.ts';
import { tallyFile } from './ledger.ts';
import { lockFile } from './lock.ts';
import { LEAVING_NAME } from './names.ts';
import { bridgesOf, domainPlan } from './plan.ts';
import { quote } from './refusal.ts';
import type { Resource } from './resources/resource.ts';
import { EMPTY_VIEW } from './view.ts';

/** What ends with a domain, in the order in which it came up. */
export const holdings = (attachment: Attachment, firewall: Firewall): Resource[] =>
  domainPlan(attachment, DEFAULT_CONFIG.dhcp, firewall);

/** The script of a domain's release; undefined where only the program can do it. */
export function releaseScript(attachment: Attachment): string | undefined {
  const firewall = firewallFor(attachment);
  const prefixes = attachment.addresses.map(({ prefix }) => prefix);
  const tallies = prefixes.map(prefix => firewall.tally(prefix));
  if (isTracked(attachment.policy) || tallies.includes(undefined)) return undefined;
  const actions = holdings(attachment, firewall)
    .toReversed()
    .flatMap(resource => resource.down(EMPTY_VIEW))
    .filter(action => !isPrecaution(action));
  const removed = actions.flatMap(action => (action.kind === 'remove' ? [action.path] : []));
  const steps = batches(actions.filter(({ kind }) => kind !== 'remove')).map(step);
  if (steps.includes(undefined)) return undefined;
  // The claims before the record, without which they are anybody's.
  const files = [
    ...removed.flatMap(path => [path, halfOf(path)]),
    ...[...claimsOf(attachment)].map(claimPath),
  ];
  const bridges = bridgesOf(attachment.domain, attachment.addresses).map(({ name }) => name);
  return [
    PREAMBLE,
    ...prefixes.map(
      (prefix, index) =>
        `{ echo ${attachment.domain}; ${tallies[index]}; echo end; } >${quoted(tallyFile(prefix))}`,
    ),
    ...steps,
    'gone',
    `rm -f ${[...files, fileOf(attachment.domain), scriptOf(attachment.domain)].map(quoted).join(' ')}`,
    `logger -t hnet -p daemon.info -- ${quoted(`release ${quote(attachment.name)}: took down ${bridges.join(', ')}`)} ${APART}`,
    '',
  ].join('\n');
}

/** Nobody waits for it, and it keeps no lock. */
const APART = '4>&- &';

/**
 * A bridge that another release has left under the name that this one takes. Where there is one, the renaming fails, and
 * the program sees to it.
 */
const isPrecaution = (action: Action): boolean =>
  action.kind === 'line' && action.words[1] === 'delete' && LEAVING_NAME.test(action.words[3] ?? '');

/** A step as it is said to a shell; undefined where a shell can't do it. */
function step(batch: Batch): string | undefined {
  if (batch.kind === 'lines') {
    const { argv, stdin } = batchCommand(batch.tool, batch.lines, false);
    return `${argv.join(' ')} <<'END'\n${stdin}END`;
  }
  const { action } = batch;
  if (action.kind === 'terminate') return `terminate ${quoted(action.pidFile)} ${quoted(action.marker)}`;
  return action.kind === 'launch' ? `${action.argv.join(' ')} ${APART}` : undefined;
}

/** Descriptor 4 holds the lock. What has been told to end has a second for it; the program would use force then. */
const PREAMBLE = `# hnet: what ends with this domain. Where anything is amiss, the program does it anew.
set -e
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
ending=
line=
# What a process was started with: nothing, where it has ended.
started() {
  line=
  { IFS= read -r line <"/proc/$1/cmdline"; } 2>/dev/null || :
}
# PIDFILE MARKER: the process of a file, if it is still the one that was started with the marker, which is a file too.
terminate() {
  [ -e "$1" ] || { [ ! -e "$2" ]; return; }
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
# The release itself.
exec 4>>${lockFile('sync')}
flock --shared --wait 10 4`;
