import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { chooseScopes } from '../../assign/choose-scopes.ts';
import type { Diagnosis } from '../../doctor/diagnosis.ts';
import { findKind, type Person } from '../../doctor/kind.ts';
import { CommandFailure } from '../../host/command.ts';
import type { Context } from '../../host/context.ts';
import { PUBLIC_FILE, writeAtomically } from '../../host/files.ts';
import type { Host } from '../../host/host.ts';
import { nameServers } from '../../host/observe/name-servers.ts';
import { observeUplinks } from '../../host/observe/uplink.ts';
import { format, parseAddress } from '../../model/address.ts';
import { type FirstWay, firstConfig } from '../../model/config-text.ts';
import { parsePool } from '../../model/config-values.ts';
import { refuseHostInRanges } from '../../model/fit.ts';
import { CONFIG_FILE } from '../../model/names.ts';
import { FALLBACK_DNS, parseConfig } from '../../model/parse-config.ts';
import { contains, type Prefix } from '../../model/prefix.ts';
import { asUsage, ifPossible, quote, Refusal, reason } from '../../model/refusal.ts';
import { readConfigText } from '../../state/config-file.ts';
import { ask, hasPerson } from '../ask.ts';
import type { DryRun } from '../changes.ts';
import { askDoctor, LIMIT, SELF } from '../own-doctor.ts';
import { findingLines } from '../views/findings.ts';

interface InitOptions extends DryRun {
  readonly pool?: readonly string[];
  readonly yes?: boolean;
  readonly json?: boolean;
}

/**
 * Sets up this host: writes hnet.toml unless it is there, brings up the base, starts the services, and says what doctor finds.
 * Run again it changes nothing.
 * @throws Refusal if a pool can't be one, the configuration that is there can't be used, or the base doesn't come up
 */
export function init(options: InitOptions, context: Context): void {
  const { pool: words = [], yes = false, json = false, dryRun = false } = options;
  const pools = words.map(word => asUsage(() => parsePool(word), 'use --pool'));
  const person = !yes && !json && hasPerson() ? PERSON : NOBODY;
  if (existsSync(CONFIG_FILE)) {
    keepConfig(pools, context);
    finish({ dryRun, changed: false, config: readConfigText(), uplinks: [] }, context);
    return;
  }
  const { text, ways } = decide(pools.length > 0 ? pools : person.pools(), person, context);
  const about = { dryRun, changed: true, config: text, uplinks: ways.map(wayShown) };
  if (dryRun) for (const line of text.trimEnd().split('\n')) context.print(line);
  else write(text, context);
  finish(about, context);
}

/** What is answered of the configuration. */
interface About {
  readonly dryRun: boolean;
  /** Whether hnet.toml was written, or would be. */
  readonly changed: boolean;
  readonly config: string;
  readonly uplinks: readonly object[];
}

/** Brings up what the configuration says, but in a dry run. */
function finish(about: About, context: Context): void {
  if (about.dryRun) {
    context.answer({ ...about, online: null, findings: [] });
    return;
  }
  const isOnline = bringUp(context);
  context.answer({ ...about, online: isOnline, findings: report(context) });
  if (!isOnline)
    context.print('there is no default route yet: the filter comes up at the first start of a domain');
  if (context.config().pools.length === 0)
    context.print(`no pools yet: name your addresses in ${CONFIG_FILE}, then: hnet sync`);
  context.print('done; now: hnet assign DOMAIN [ADDRESS]');
}

/** It is the operator's from now on. */
function keepConfig(pools: readonly Prefix[], { print, config }: Context): void {
  const known = config().pools;
  const missing = pools.filter(pool => !known.some(one => contains(one, pool)));
  if (missing.length > 0)
    print(
      `${CONFIG_FILE} is there and stays: add ${missing.map(format).join(', ')} to its pools yourself, then: hnet sync`,
    );
}

/** The configuration that is right for this host, as far as that can be found out. */
function decide(
  pools: readonly Prefix[],
  person: Asked,
  context: Context,
): { readonly text: string; readonly ways: readonly FirstWay[] } {
  const { host, warn } = context;
  const kind = findKind(pools, context, person);
  const { range: scopes, why } = chooseScopes(pools, host);
  if (why !== undefined) warn(why);
  const found = nameServers();
  const text = firstConfig({ ...kind, scopes, dns: found.length > 0 ? found : FALLBACK_DNS });
  refuseHostInRanges(parseConfig(text, 'what would be the first hnet.toml'), kind.own);
  return { text, ways: [kind.main, ...kind.further] };
}

const wayShown = ({ devices, host, gateway, pools, delivery }: FirstWay): object => ({
  devices,
  address: host === undefined ? null : format(host),
  gateway: gateway === undefined ? null : format(gateway),
  pools: pools.map(format),
  delivery: { ipv4: delivery[4] ?? null, ipv6: delivery[6] ?? null },
});

function write(text: string, { print }: Context): void {
  try {
    mkdirSync(dirname(CONFIG_FILE), { recursive: true });
    writeAtomically(CONFIG_FILE, text, PUBLIC_FILE);
  } catch (error) {
    throw new Refusal(`Cannot write ${CONFIG_FILE}: ${reason(error)}; make that possible and run this again`);
  }
  print(`wrote ${CONFIG_FILE}`);
}

/** @returns whether there is a way to the Internet, without which nothing comes up yet */
function bringUp({ host, config, warn, progress }: Context): boolean {
  const { uplinks } = config();
  if (uplinks[0].devices.length === 0 && ifPossible(() => observeUplinks(host, config())) === undefined)
    return false;
  progress('bringing up the filter');
  if (!existsSync('/run/systemd/system')) {
    baseUp(host);
    return true;
  }
  if (!start('hnet-base.service', host)) baseUp(host);
  for (const unit of REPAIRS.filter(one => isEnabled(one, host))) {
    progress(`starting ${unit}`);
    if (!start(unit, host)) warn(`${unit} did not start; see: journalctl -u ${unit}`);
  }
  return true;
}

const REPAIRS = ['hnet-sync.service', 'hnet-watch.service'];
const isEnabled = (unit: string, host: Host): boolean =>
  host.output(['systemctl', 'is-enabled', unit]).trim() === 'enabled';

function start(unit: string, host: Host): boolean {
  try {
    host.run(['systemctl', 'start', unit], '', LIMIT);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** As the unit does. @throws Refusal with its words */
function baseUp(host: Host): void {
  try {
    host.run([...SELF, 'base', 'up'], '', LIMIT);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    throw new Refusal(`Cannot bring up the filter: ${reason(error.stderr).replace(/^hnet: /, '')}`);
  }
}

/** What doctor finds keeps nothing from being set up. */
function report({ host, print, warn, progress }: Context): readonly Diagnosis[] {
  progress('examining this host');
  const { findings, notes, error } = askDoctor(host);
  if (error === undefined) for (const line of findingLines(findings, notes)) print(line);
  else warn(error);
  return findings;
}

/** Whoever answers questions, if anybody does. */
interface Asked extends Person {
  readonly pools: () => readonly Prefix[];
}

const NOBODY: Asked = {
  pools: () => [],
  uplink: () => undefined,
  gateway: () => undefined,
  delivery: () => undefined,
};

/** An answer that makes no sense is asked for again; an empty one leaves the matter to hnet.toml. */
const PERSON: Asked = {
  pools: () =>
    answer(
      `Which addresses or subnets does your provider give to this host?
(such as 123.45.90.112/29 123.45.53.11; empty: name them in ${CONFIG_FILE} later)`,
      text => text.split(/[\s,]+/).map(parsePool),
    ) ?? [],
  uplink: devices =>
    answer(
      `There is no default route. Which interface leads to the Internet?
(${devices.join(', ')}; empty: the one that has the default route later)`,
      text => oneOf(devices, text),
    ),
  gateway: (device, pools) =>
    answer(
      `${shown(pools)} comes by ${device}. Which address is the provider's gateway there?
(empty: there is none, as in a tunnel)`,
      parseAddress,
    ),
  delivery: (device, pools) =>
    answer(
      `The gateway of ${device} doesn't tell how it hands over ${shown(pools)}. Does the provider route that to this host, or is it on the wire?
(routed, on-link; empty: routed)`,
      text => oneOf(DELIVERIES, text),
    ),
};

const DELIVERIES = ['routed', 'on-link'] as const;
const shown = (pools: readonly Prefix[]): string => pools.map(format).join(', ');

function answer<T>(question: string, read: (text: string) => T): T | undefined {
  for (;;) {
    const text = ask(question);
    if (text === '') return undefined;
    try {
      return read(text);
    } catch (error) {
      process.stdout.write(`${reason(error)}\n`);
    }
  }
}

function oneOf<T extends string>(all: readonly T[], text: string): T {
  const found = all.find(one => one === text);
  if (found !== undefined) return found;
  throw new Refusal(`${quote(text)} is none of ${all.join(', ')}`);
}
