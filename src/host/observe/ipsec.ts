/** Reads the policies of IPsec that may take a domain's packets. */
import { parsePrefix } from '../../model/address.ts';
import { ifPossible } from '../../model/refusal.ts';
import type { IpsecPolicy } from '../../model/view.ts';
import { readIfThere } from '../files.ts';
import type { Tools } from '../host.ts';

/** `ip` has no JSON for them. */
const LIST = ['ip', 'xfrm', 'policy'];

/**
 * The commands that list policies; none where the kernel has no part that would know any, which asking would load. Its socket
 * of the kind NETLINK_XFRM, 6, is in this list: `sk Eth Pid …`.
 */
export const ipsecCommands = (): (readonly string[])[] =>
  /^\S+ +6 +0 /m.test(readIfThere('/proc/net/netlink') ?? '') ? [LIST] : [];

export const readIpsec = (tools: Tools): IpsecPolicy[] =>
  ipsecCommands().flatMap(argv => toPolicies(tools.output(argv)));

/**
 * Each policy begins with `src … dst …` at the start of a line. Left out are those of sockets, and those that ask for what
 * most packets don't have: a protocol, a mark, an interface of IPsec's own.
 */
export const toPolicies = (listed: string): IpsecPolicy[] =>
  listed.split(/^(?=src )/m).flatMap(text => toPolicy(text) ?? []);

function toPolicy(text: string): IpsecPolicy | undefined {
  const [selector = ''] = text.split('\n');
  const [, from = '', to = '', device] = /^src (\S+) dst (\S+)(?: dev (\S+))? *$/.exec(selector) ?? [];
  const [, direction, priority] = /^\tdir (\w+) .*?priority (\d+)/m.exec(text) ?? [];
  const ranges = ifPossible(() => ({ from: parsePrefix(from), to: parsePrefix(to) }));
  if (ranges === undefined || direction === undefined || /^\t(mark|if_id) /m.test(text)) return undefined;
  return {
    ...ranges,
    direction,
    priority: Number(priority),
    device,
    does: /^\tdir .* action block /m.test(text) ? 'block' : isWrapping(text) ? 'wrap' : 'pass',
    words: `"${selector.trim()} dir ${direction}"`,
  };
}

/** Whether it asks for a tunnel or a transport that it can't do without. */
const isWrapping = (text: string): boolean =>
  text
    .split(/^\ttmpl /m)
    .slice(1)
    .some(template => !/\blevel use\b/.test(template));
