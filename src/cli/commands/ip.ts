import type { Context } from '../../host/context.ts';
import { pick, withLibvirt } from '../../libvirt/libvirt.ts';
import { format } from '../../model/address.ts';
import { addressesOf } from '../../model/domain.ts';
import { quote, Refusal, UsageRefusal } from '../../model/refusal.ts';

/** `-4` and `-6`. */
interface IpOptions {
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
}

/** Prints the addresses of a domain, one a line: those that it runs with, or would start with. */
export function ip(name: string, options: IpOptions, context: Context): void {
  if (options.ipv4 && options.ipv6)
    throw new UsageRefusal('Cannot use -4 with -6: without either you get both families');
  const { domain } = withLibvirt(libvirt => pick(libvirt.domains(), name));
  const family = options.ipv4 ? 4 : options.ipv6 ? 6 : undefined;
  const found = addressesOf(domain)
    .map(({ prefix }) => prefix)
    .filter(prefix => family === undefined || prefix.family === family);
  if (found.length === 0)
    throw new Refusal(
      `Cannot show an address of ${quote(domain.name)}: it has none${family === undefined ? '' : ` of IPv${family}`}; hnet assign gives it one`,
    );
  const addresses = found.map(format);
  context.answer({ domain: domain.name, uuid: domain.uuid, addresses });
  for (const address of addresses) context.print(address);
}
