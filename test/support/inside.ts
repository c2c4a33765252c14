/**
 * What a test has hnet do inside a host where no libvirt is, by hnet's own code: the parts of `hnet firewall`,
 * `assign` and `move` that act on running domains, many starts in one process, and what the ledger says. A request
 * as JSON on standard input, the answer as JSON on standard output.
 */
import { readFileSync } from 'node:fs';
import { countedOf } from '../../src/firewall/rules/counted.ts';
import { firewallOf } from '../../src/host/choose-backend.ts';
import { Host } from '../../src/host/host.ts';
import { look } from '../../src/host/observe/parts.ts';
import { assignmentOf, toAttachment } from '../../src/lifecycle/admission.ts';
import { change as changeRunning, handOver } from '../../src/lifecycle/change.ts';
import { start } from '../../src/lifecycle/start.ts';
import { parsePrefix } from '../../src/model/address.ts';
import type { Attachment } from '../../src/model/attachment.ts';
import { type Domain, tapsOf } from '../../src/model/domain.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import type { Prefix } from '../../src/model/prefix.ts';
import { readAttachment } from '../../src/state/attachment-files.ts';
import { loadConfig } from '../../src/state/config-file.ts';
import { readAccount, totalOf } from '../../src/state/ledger.ts';

export type Request =
  | { readonly do: 'attach'; readonly xml: readonly string[] }
  | { readonly do: 'change'; readonly xml: string }
  | { readonly do: 'move'; readonly prefix: string; readonly from: string; readonly xml: string }
  | { readonly do: 'total'; readonly ip: string; readonly backend: 'iptables' | 'nftables' };

const host = new Host();

function act(request: Request): unknown {
  switch (request.do) {
    case 'attach':
      for (const domain of request.xml.map(parseDomain))
        start(domain, assignment(domain), loadConfig(), host);
      return undefined;
    case 'change':
      return change(parseDomain(request.xml));
    case 'move':
      return move(parsePrefix(request.prefix), request.from, parseDomain(request.xml));
    case 'total': {
      const prefix = parsePrefix(request.ip);
      return totalOf(
        readAccount(prefix),
        countedOf(prefix, look(host, firewallOf(request.backend, [prefix]).looks.own)),
      );
    }
  }
}

function assignment(domain: Domain) {
  const found = assignmentOf(domain);
  if (found === undefined) throw new Error(`${domain.name} has no assignment`);
  return found;
}

function change(domain: Domain): void {
  changeRunning(next(domain), tapsOf(domain), loadConfig(), host);
}

function move(prefix: Prefix, from: string, to: Domain): void {
  const [giver, taker] = [attached(from), attached(to.uuid)];
  handOver({ prefix, giver, taker, after: next(to), taps: tapsOf(to) }, loadConfig(), host);
}

function attached(uuid: string): Attachment {
  const attachment = readAttachment(uuid);
  if (attachment === undefined) throw new Error(`${uuid} isn't attached`);
  return attachment;
}

/** What a running domain shall have, by its metadata, in the filter that it was started with. */
const next = (domain: Domain): Attachment =>
  toAttachment(domain, assignment(domain), attached(domain.uuid).backend, () => undefined);

const request: Request = JSON.parse(readFileSync(0, 'utf8'));
const answer = JSON.stringify(act(request) ?? null, (_, value) =>
  typeof value === 'bigint' ? Number(value) : value,
);
process.stdout.write(answer);
