import { fullName, hostsLine, ptrLine } from '../../guest/name-lines.ts';
import { configured } from '../../guest/network.ts';
import type { Context } from '../../host/context.ts';
import { withLibvirt } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import { publicOf } from '../../model/bridge.ts';
import { addressesOf } from '../../model/domain.ts';
import { hostNames } from '../../model/hostname.ts';
import { compare } from '../../model/prefix.ts';
import { quote, UsageRefusal } from '../../model/refusal.ts';

/** Prints the names of all assignments: as /etc/hosts has them, or as PTR records for a reverse zone. */
export function hosts({ ptr, domain }: { ptr?: boolean; domain?: string }, context: Context): void {
  const suffix = domain === undefined ? context.config().dhcp.domain : parseDomainName(domain);
  const domains = withLibvirt(libvirt => libvirt.domains()).map(({ next }) => next);
  const names = hostNames(domains);
  const rows = domains.flatMap(one => {
    const name = names.get(one.uuid);
    if (name === undefined) return [];
    // Nobody beyond the host has a use for the name of a private address.
    return publicOf(addressesOf(one))
      .flatMap(configured)
      .map(address => ({ address, name }));
  });
  const line = ptr === true ? ptrLine : hostsLine;
  const named = rows
    .sort((a, b) => compare(a.address, b.address))
    .map(({ address, name }) => ({ address, name, full: fullName(name, suffix) }));
  context.answer({
    names: named.map(({ address, name, full }) => ({ address: format(address), name: name.label, full })),
  });
  for (const { address, name, full } of named) context.print(line(address, name, full));
}

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

function parseDomainName(text: string): string {
  if (text.length < 200 && text.split('.').every(label => LABEL.test(label))) return text.toLowerCase();
  throw new UsageRefusal(`Cannot use --domain ${quote(text)}: it is not a domain name such as example.org`);
}
