import { apartOf } from '../../cluster/apart.ts';
import type { Context } from '../../host/context.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { allFaults } from '../../repair/all-faults.ts';
import type { Fault } from '../../repair/fault.ts';
import { type Listing, listRunning } from '../../repair/listing.ts';
import { settledSurvey } from '../../repair/survey.ts';
import { EXIT } from '../exit-codes.ts';
import { type Cell, type Colour, table } from '../table.ts';

/** Compares what should be with what is, and changes nothing. */
export function check(name: string | undefined, context: Context): void {
  const listing = listRunning();
  if (listing.why !== undefined) context.warn(`${listing.why}; what no domain owns is not looked for`);
  const uuid = name === undefined ? undefined : identify(name, listing);
  const { config, host } = context;
  const found = allFaults(listing, settledSurvey(listing, config(), host), apartOf(config(), host));
  const shown = found.filter(fault => uuid === undefined || isAbout(fault, uuid));
  const unseen = shown.find(({ is }) => is === 'unknown');
  const isFound = shown.some(({ is }) => is !== 'unknown');
  const error = unseen !== undefined && !isFound && `Cannot look at the ${unseen.what}: ${unseen.why}`;
  context.answer({ ...(error && { error }), faults: shown });
  if (shown.length === 0) context.print('Everything is as it should be');
  else for (const line of render(shown, context.colour)) context.print(line);
  if (shown.length > 0) process.exitCode = isFound ? EXIT.found : EXIT.failed;
}

function identify(name: string, { running }: Listing): string {
  const known = [...(running ?? [])].find(([uuid, domain]) => uuid === name || domain.name === name);
  return known?.[0] ?? withLibvirt(libvirt => pick(libvirt.domains(), name)).domain.uuid;
}

/** A domain depends on the base too, but not on other domains or on what is left over. */
const isAbout = (fault: Fault, uuid: string): boolean =>
  fault.uuid === uuid || (fault.uuid === null && fault.domain === null && fault.is !== 'left over');

const COLOURS: Readonly<Record<Fault['is'], Colour>> = {
  missing: 'red',
  changed: 'yellow',
  foreign: 'red',
  'left over': 'dim',
  'cut off': 'red',
  unknown: 'yellow',
};

function render(found: readonly Fault[], colour: boolean): string[] {
  const cells = found.map(({ domain, what, is, why }): Cell[] => [
    domain ?? '-',
    what,
    { text: is, colour: COLOURS[is] },
    why,
  ]);
  return table(['DOMAIN', 'WHAT', 'IS', 'WHY'], cells, colour);
}
