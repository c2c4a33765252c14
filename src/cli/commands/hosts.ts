import { fullName, hostsLine, ptrLine } from '../../guest/name-lines.ts';
import { configured } from '../../guest/network.ts';
import { withLibvirt } from '../../libvirt/libvirt.ts';
import { addressesOf } from '../../model/domain.ts';
import { hostNames } from '../../model/hostname.ts';
import { compare } from '../../model/prefix.ts';
import { quote, UsageRefusal } from '../../model/refusal.ts';
import type { Context } from './context.ts';

export interface HostsOptions {
  readonly ptr?: boolean;
  readonly domain?: string;
}

/** Prints the names of all assignments: as /etc/hosts has them, or as PTR records for a reverse zone. */
export function hosts(options: HostsOptions, context: Context): void {
  const suffix =
    options.domain === undefined ? context.config().dhcp.domain : parseDomainName(options.domain);
  const domains = withLibvirt(libvirt => libvirt.domains()).map(({ next }) => next);
  const names = hostNames(domains);
  const rows = domains.flatMap(domain => {
    const name = names.get(domain.uuid);
    return name === undefined
      ? []
      : addressesOf(domain).flatMap(({ prefix }) => configured(prefix).map(address => ({ address, name })));
  });
  const line = options.ptr === true ? ptrLine : hostsLine;
  for (const { address, name } of rows.sort((a, b) => compare(a.address, b.address)))
    context.print(line(address, name, fullName(name, suffix)));
}

function parseDomainName(text: string): string {
  if (
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(text) &&
    text.length < 200
  )
    return text.toLowerCase();
  throw new UsageRefusal(`Cannot use --domain ${quote(text)}: it is not a domain name such as example.org`);
}
