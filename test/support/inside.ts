/**
 * What a test has hnet do inside a host where no libvirt is, by hnet's own code: the part of `hnet firewall`
 * and `hnet assign` that acts on a running domain, many starts in one process, and what the ledger says. A request as JSON on standard
 * input, the answer as JSON on standard output.
 */
import { readFileSync } from 'node:fs';
import { parsePrefix } from '../../src/address.ts';
import { assignmentOf } from '../../src/admission.ts';
import { attach, tapsOf } from '../../src/attach.ts';
import { readAttachment } from '../../src/attachments.ts';
import { firewallOf } from '../../src/backend.ts';
import { loadConfig } from '../../src/config-file.ts';
import { addressesOf, type Domain, parseDomain, policyOf } from '../../src/domain.ts';
import { Host } from '../../src/host.ts';
import { countedOf, readEntry, totalOf } from '../../src/ledger.ts';
import { look } from '../../src/observe.ts';
import { reconfigure } from '../../src/reconfigure.ts';

export type Request =
  | { readonly do: 'attach'; readonly xml: readonly string[] }
  | { readonly do: 'change'; readonly xml: string }
  | { readonly do: 'total'; readonly ip: string; readonly backend: 'iptables' | 'nftables' };

const host = new Host();

function act(request: Request): unknown {
  switch (request.do) {
    case 'attach':
      for (const domain of request.xml.map(parseDomain))
        attach(domain, assignment(domain), loadConfig(), host);
      return undefined;
    case 'change':
      return change(parseDomain(request.xml));
    case 'total': {
      const prefix = parsePrefix(request.ip);
      return totalOf(
        readEntry(prefix),
        countedOf(prefix, look(host, firewallOf(request.backend, [prefix]).looks.all)),
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
  const attachment = readAttachment(domain.uuid);
  if (attachment === undefined) throw new Error(`${domain.name} isn't attached`);
  const next = { ...attachment, addresses: addressesOf(domain), policy: policyOf(domain) };
  reconfigure(next, tapsOf(domain), loadConfig(), host);
}

const request: Request = JSON.parse(readFileSync(0, 'utf8'));
const answer = JSON.stringify(act(request) ?? null, (_, value) =>
  typeof value === 'bigint' ? Number(value) : value,
);
process.stdout.write(answer);
