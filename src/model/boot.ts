/** What boot ROMs load. */
import { quote, Refusal } from './refusal.ts';

/** The field of a DHCP message has 128 bytes, the last of which is NUL (RFC 2131, 2). */
const LONGEST = 127;

/**
 * A file's name on the server, or a URL. iPXE's settings (`${net0/mac}`) may be in it. It stands in a line of dnsmasq's
 * configuration, where commas, quotes, spaces and backslashes mean something, and so does a first word `tag:`.
 * @throws Refusal
 */
export function parseBootFile(text: string): string {
  if (text.length > LONGEST)
    throw new Refusal(
      `a boot file's name has ${text.length} characters, and DHCP takes ${LONGEST}; use a shorter one`,
    );
  if (!/^[\w/.][\w/.:?&=@%+~;${}[\]()!*-]*$/.test(text) || /^(tag|set|net):/.test(text))
    throw new Refusal(
      `${quote(text)} is not a file's name or a URL such as boot.ipxe or http://203.0.113.5/boot.ipxe`,
    );
  return text;
}
