/**
 * A new configuration is tried out: it stays only if the gateway can still reach the host. Otherwise the one before it is
 * put back, also if the process that tries is killed, as the end of a connection does.
 */
import { existsSync } from 'node:fs';
import type { Context } from '../host/context.ts';
import { readIfThere, removeWhole, writeAtomically } from '../host/files.ts';
import type { Host } from '../host/host.ts';
import { launch } from '../host/launch.ts';
import { observeUplinks } from '../host/observe/uplink.ts';
import { about } from '../host/query.ts';
import { sshPeers } from '../host/ssh-peers.ts';
import { hasTool } from '../host/tools.ts';
import { waitFor } from '../host/wait.ts';
import { format } from '../model/address.ts';
import { CONFIG_FILE, PROVEN_FILE, REJECTED_FILE, TRIAL_FILE } from '../model/names.ts';
import { isLinkLocal, type Prefix } from '../model/prefix.ts';
import { ifPossible, type Refusal } from '../model/refusal.ts';
import type { Uplink } from '../model/uplink.ts';
import { isRejected, loadConfig, noteProven, readConfigText } from '../state/config-file.ts';
import { noteSync } from '../state/last-sync.ts';
import { refusalFor } from './visitors.ts';

/** What repairs the host by the configuration of a context (loop.ts). @returns whether all is as it should be */
type Converge = (context: Context) => boolean;

/** How long the gateway may take to answer, and after what time somebody else ends a trial, in milliseconds. */
const PROOF = 5_000;
const ABANDONED = 20_000;

/**
 * Repairs. If the configuration has changed since it was applied last, it is tried out.
 * @param isAttended whether the operator's connection may be cut: then a child of its own also ends the trial
 * @returns whether everything is as it should be, by the configuration that is written
 */
export function tryOut(context: Context, converge: Converge, isAttended: boolean): boolean {
  const isGood = tryFirst(context, converge, isAttended);
  noteSync(isGood);
  return isGood;
}

function tryFirst(context: Context, converge: Converge, isAttended: boolean): boolean {
  const isFree = (): boolean => !existsSync(TRIAL_FILE);
  // Another process tries one, or was killed at it.
  if (!isFree()) context.progress('waiting for another process that tries out a configuration');
  if (!waitFor(isFree, ABANDONED)) endTrial(context, converge);
  const text = readConfigText();
  if (isRejected(text)) {
    context.warn(
      `${CONFIG_FILE} cut off the host when it was applied, or would have, and the one before it is in force; ${WAY_OUT}`,
    );
    converge(context);
    return false;
  }
  const proven = readIfThere(PROVEN_FILE);
  if (proven !== text) {
    const refusal = refusalFor(context.host, context.config());
    if (refusal !== undefined && proven === undefined) throw refusal;
    if (refusal !== undefined) return reject(text, context, converge, refusal);
  }
  if (proven !== text && proven !== undefined) return trial(text, context, converge, isAttended);
  const isGood = converge(context);
  if (isGood) noteProven(text);
  return isGood;
}

/** A configuration that isn't even tried. It stays away when the connection has ended, too: it would cut off the next one. */
function reject(text: string, context: Context, converge: Converge, { message }: Refusal): false {
  writeAtomically(REJECTED_FILE, text);
  const config = loadConfig();
  converge({ ...context, config: () => config });
  context.warn(`${message}; the one before it stays in force; ${WAY_OUT}`);
  return false;
}

/** Applies a new configuration and keeps it, or takes it back. @throws Refusal as `converge`, if it is to be kept */
function trial(text: string, context: Context, converge: Converge, isAttended: boolean): boolean {
  const uplink = ifPossible(() => liveUplink(context));
  const before = uplink === undefined ? [] : waysIn(context.host, uplink);
  writeAtomically(TRIAL_FILE, text);
  if (isAttended) launchUndo();
  const outcome = outcomeOf(() => converge(context));
  context.progress('trying out the changed configuration: can the gateway still reach this host?');
  const lost = lostOf(before, context.host);
  if (lost !== undefined || !existsSync(TRIAL_FILE)) {
    endTrial(context, converge, lost);
    return false;
  }
  removeWhole(TRIAL_FILE);
  // A configuration that is refused changes nothing, and proves nothing.
  if ('error' in outcome) throw outcome.error;
  noteProven(text);
  return outcome.isGood;
}

function outcomeOf(work: () => boolean): { readonly isGood: boolean } | { readonly error: unknown } {
  try {
    return { isGood: work() };
  } catch (error) {
    return { error };
  }
}

const WAY_OUT = `change it, or remove ${REJECTED_FILE} to try it again; then: hnet sync`;

/** Puts the configuration back that was there before a trial, if one is still under way. @param why what was lost */
export function endTrial(
  context: Context,
  converge: Converge,
  why = 'nobody knows whether the gateway answers',
): void {
  const text = readIfThere(TRIAL_FILE);
  if (text === undefined) return;
  // First of all, so that the daemon doesn't bring it back.
  writeAtomically(REJECTED_FILE, text);
  removeWhole(TRIAL_FILE);
  const config = loadConfig();
  converge({ ...context, config: () => config });
  context.warn(`Cannot use ${CONFIG_FILE}: ${why}, so the one before it is in force again; ${WAY_OUT}`);
}

/**
 * Starts what ends this trial if we don't. Where systemd runs it isn't in the session, whose end may end all of its
 * processes. It ends with the trial.
 */
function launchUndo(): void {
  const isUnit = existsSync('/run/systemd/system') && hasTool('systemd-run');
  const outside = isUnit ? ['systemd-run', '--quiet', '--collect', '--'] : [];
  const waits = `n=0; while [ $n -lt ${ABANDONED / 1000} ]; do
    sleep 1; [ -e ${TRIAL_FILE} ] || exit 0; n=$((n + 1)); done; exec "$0" "$@"`;
  launch([...outside, 'sh', '-c', waits, process.execPath, process.argv[1] ?? '', 'sync', '--end-trial']);
}

/** The uplink as the routes have it, whatever the new configuration says of it. */
function liveUplink({ host, config }: Context): Uplink {
  const given = config();
  const [{ devices, ...main }] = given.uplinks;
  const [standing] = given.inForce;
  const told = {
    ...main,
    addresses: [],
    gateways: [],
    devices: standing === undefined ? devices : [standing.device],
  };
  return observeUplinks(host, { ...given, uplinks: [told] })[0];
}

/** How somebody reaches the host: what is asked, and whether it was answered before. */
interface Way {
  readonly what: string;
  readonly isOpen: (host: Host) => boolean;
}

/** The ways that are open now. A gateway needn't answer pings; then the kernel says whether it would take its packets. */
function waysIn(host: Host, uplink: Uplink): Way[] {
  const { gateway, gateway6 } = uplink;
  const gateways = [gateway, gateway6].filter(one => one !== undefined);
  const ways = [
    ...gateways.map(one => ({
      what: `the gateway ${format(one)} does not answer any more`,
      isOpen: (at: Host) => answers(at, one, uplink.device),
    })),
    ...[gateway, ...sshPeers(host)].flatMap(from =>
      from === undefined || from.family !== 4 || uplink.host === undefined
        ? []
        : [
            {
              what: `packets from ${format(from)} would not be taken any more`,
              isOpen: (at: Host) => isTaken(at, from, uplink),
            },
          ],
    ),
  ];
  return ways.filter(({ isOpen }) => isOpen(host));
}

function answers(host: Host, gateway: Prefix, device: string): boolean {
  const target = isLinkLocal(gateway) ? `${format(gateway)}%${device}` : format(gateway);
  return host.output(['ping', '-n', '-q', '-c', '1', '-W', '1', target]) !== '';
}

/** The kernel's own word on a packet that comes in by the uplink for the host. */
function isTaken(host: Host, from: Prefix, { host: own, device }: Uplink): boolean {
  if (own === undefined) return true;
  const question = about([from], one => `route get ${format(own)} from ${format(one)} iif ${device}`);
  return [...host.query({ question }).question.values()].every(({ failure }) => failure === undefined);
}

/** What of the ways that were open isn't any more, after a few tries. */
function lostOf(before: readonly Way[], host: Host): string | undefined {
  let lost: Way | undefined;
  waitFor(() => {
    lost = before.find(({ isOpen }) => !isOpen(host));
    return lost === undefined;
  }, PROOF);
  return lost?.what;
}
