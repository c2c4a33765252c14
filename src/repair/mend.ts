/** Puts right what a survey found, under the lock that keeps starts and stops away. */

import { firewallOf } from '../host/choose-backend.ts';
import type { Host } from '../host/host.ts';
import { look } from '../host/observe/parts.ts';
import { observe } from '../host/observe/view.ts';
import { refuseForeignAddresses, refuseTakenScopes } from '../lifecycle/admission.ts';
import { changeOwner } from '../lifecycle/apply.ts';
import { takeDown } from '../lifecycle/stop.ts';
import { type Attachment, attachmentTitle, toAttachment } from '../model/attachment.ts';
import { BACKENDS } from '../model/config.ts';
import { aliasOwner } from '../model/names.ts';
import { quote, Refusal, reason } from '../model/refusal.ts';
import { ownAddresses } from '../model/uplink.ts';
import type { View } from '../model/view.ts';
import { type Checked, check, down, mend, up } from '../plan/walker.ts';
import { batches } from '../resources/action.ts';
import { discardAttachment, rewriteAttachment, writeAttachment } from '../state/attachment-store.ts';
import { addUp } from '../state/ledger.ts';
import { readRecords } from '../state/records.ts';
import { type Kept, keep, type Survey } from './survey.ts';

/** How a repair says what it did, and what it couldn't. */
export interface Report {
  readonly done: (line: string) => void;
  readonly failed: (line: string) => void;
}

/** So many domains are mended together: their commands must end within the time that one command may take. */
const TOGETHER = 100;

/**
 * Base first, for without it nothing else is safe; then what must go, so that it isn't in the way; then what must
 * come. One thing's failure doesn't keep the others from being repaired.
 */
export function repair(found: Survey, host: Host, report: Report): void {
  const workshop = new Workshop(found, host, report);
  workshop.base();
  workshop.sweep();
  workshop.ended();
  workshop.domains(workshop.lost());
  workshop.otherBackend();
}

class Workshop {
  readonly #found: Survey;
  readonly #host: Host;
  readonly #report: Report;
  #failed = false;

  constructor(found: Survey, host: Host, report: Report) {
    this.#found = found;
    this.#host = host;
    this.#report = report;
  }

  base(): void {
    for (const checked of this.#found.base)
      this.#attempt('', () => {
        up([checked.resource], this.#found.view, this.#host);
        this.#report.done(repaired('', checked));
      });
  }

  sweep(): void {
    const { strays } = this.#found;
    for (const batch of batches(strays.flatMap(stray => stray.down)))
      this.#attempt('', () => this.#host.perform(batch, true));
    for (const { label, why } of strays) this.#report.done(`removed: ${label} (${why})`);
  }

  ended(): void {
    for (const domain of this.#found.damaged) {
      discardAttachment(domain);
      this.#report.done(`removed: attachment of ${domain} (it could not be read)`);
    }
    for (const attachment of this.#found.ended)
      this.#attempt(attachment.name, () => {
        takeDown(attachment, this.#host);
        this.#report.done(`removed: ${attachmentTitle(attachment)} (left over from a run that has ended)`);
      });
  }

  /** Writes the attachments of running domains that lost theirs, from their live metadata. */
  lost(): Kept[] {
    const { lost, firewall, config, uplink, view } = this.#found;
    const wire = config.ipv6 === 'on-link' ? uplink.device : undefined;
    const anew = lost.map(({ domain, assignment }) => ({
      domain,
      attachment: toAttachment(domain, assignment, firewall.name, wire),
    }));
    // Whose bridge stands has had the address all along.
    const standing = ({ attachment: { domain, addresses } }: (typeof anew)[number]): boolean =>
      addresses.some(({ bridge }) => aliasOwner(view.links.get(bridge)?.alias ?? '') === domain);
    const ordered = [...anew.filter(standing), ...anew.filter(one => !standing(one))];
    const admitted = ordered.filter(({ attachment }) =>
      this.#attempt(attachment.name, () => {
        admitAnew(attachment, this.#found, this.#host);
        this.#report.done(`recorded: ${attachmentTitle(attachment)} (its attachment was lost)`);
      }),
    );
    const records = admitted.length > 0 ? readRecords() : { claims: new Map<string, string>() };
    return admitted.map(one => keep(one, config, firewall, view, records));
  }

  domains(recorded: readonly Kept[]): void {
    const { base, strays, ended, kept, firewall } = this.#found;
    const touched = base.length + strays.length + ended.length > 0;
    const view = touched ? observe(this.#host, firewall) : this.#found.view;
    const wrong = [...kept, ...recorded]
      .map(one => ({
        ...one,
        wrong: check(one.plan, view).filter(({ finding }) => finding.is !== 'present'),
      }))
      .filter(one => one.wrong.length > 0)
      .filter(one => this.#isOurs(one));
    for (let at = 0; at < wrong.length; at += TOGETHER)
      this.#mendTogether(wrong.slice(at, at + TOGETHER), view);
    if (!this.#failed) this.#moveCounters(kept.map(({ attachment }) => attachment));
  }

  /** Where the backend was changed, its counters are added up for the last time: the new one's begin at zero. */
  #moveCounters(attachments: readonly Attachment[]): void {
    const { firewall, config } = this.#found;
    const moving = attachments.filter(({ backend }) => backend !== firewall.name);
    if (moving.length === 0) return;
    for (const other of BACKENDS.filter(name => name !== firewall.name)) {
      const filter = look(this.#host, firewallOf(other, config.pools).counters());
      for (const attachment of moving) {
        for (const { prefix } of attachment.addresses) addUp(prefix, attachment.domain, filter, true);
        rewriteAttachment({ ...attachment, backend: firewall.name });
      }
    }
  }

  /** Where somebody else's thing stands in the place of one of a domain's, nothing of it is touched. */
  #isOurs({ attachment, wrong }: Kept): boolean {
    const foreign = wrong.find(({ finding }) => finding.is === 'foreign');
    if (foreign === undefined) return true;
    const why = 'why' in foreign.finding ? foreign.finding.why : '';
    this.#report.failed(`${quote(attachment.name)}: Cannot set up ${foreign.resource.label}: ${why}`);
    return false;
  }

  #mendTogether(some: readonly Kept[], view: View): void {
    const say = (one: Kept): void => {
      for (const checked of one.wrong) this.#report.done(repaired(`${one.attachment.name}: `, checked));
    };
    try {
      mend(
        some.map(({ plan }) => plan),
        view,
        this.#host,
      );
      some.forEach(say);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // One of them fails. Each by itself, from what stands now, the others come through.
      const now = observe(this.#host, this.#found.firewall);
      for (const one of some)
        if (this.#attempt(one.attachment.name, () => mend([one.plan], now, this.#host))) say(one);
    }
  }

  /** What a change of backend leaves behind goes last: until then both filters stand, and agree. */
  otherBackend(): void {
    const { other, config, uplink } = this.#found;
    if (other === undefined || this.#failed) return;
    this.#attempt('', () => {
      const failures = down(other.base(config, uplink), observe(this.#host, other), this.#host);
      if (failures.length > 0) throw new Refusal(failures.join('; '));
      this.#report.done(`removed: the filter in ${other.name}`);
    });
  }

  /** @returns whether it succeeded */
  #attempt(name: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#failed = true;
      this.#report.failed(name === '' ? reason(error) : `${quote(name)}: ${reason(error)}`);
      return false;
    }
  }
}

function repaired(prefix: string, { resource, finding }: Checked): string {
  return `repaired: ${prefix}${resource.label} (${'why' in finding ? finding.why : 'it was missing'})`;
}

function admitAnew(attachment: Attachment, { config, uplink, view }: Survey, host: Host): void {
  const prefixes = attachment.addresses.map(({ prefix }) => prefix);
  refuseForeignAddresses(prefixes, config, ownAddresses(uplink));
  refuseTakenScopes(attachment.addresses, [...view.routes.values()]);
  writeAttachment(attachment);
  for (const address of attachment.addresses) changeOwner(address, attachment.domain, host);
}
