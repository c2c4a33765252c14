import { expect } from 'chai';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { REAL } from './scene.ts';

/**
 * Everything that hnet could leave behind, as text. Counters and timers are taken out: they change by themselves.
 * Empty directories, lock files, the configuration and the last sync that are noted in /run/hnet, and what servers said are of no meaning. Where a test has put
 * a fake in a tool's place, the tool itself is asked.
 */
export async function snapshot(host: Machine): Promise<string> {
  // The hook waits neither for the logger and the journal, nor for an announcement, nor for the deletion of a bridge that has given up
  // its name.
  await until(
    async () =>
      !/^logger |hnet\.cjs announce |attachments\/\S+\.sh$|: hnet-[0-9a-f]{8}:/m.test(
        await host.sh(`PATH=${REAL}:$PATH; ps -e -o args=; ip -o link`),
      ),
    PATIENCE,
    'what the hook has started to end',
  );
  return normalise(await host.sh(COMMANDS));
}

/** Asserts that the host is as it was; a failure shows the lines that came and went. */
export async function expectUnchanged(host: Machine, before: string, what = 'the host'): Promise<void> {
  expect(difference(before, await snapshot(host)).join('\n'), what).to.equal('');
}

const SWITCHES = 'grep -s . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv?/conf/br116/* || true';

/** A snapshot with switches, for a host whose bridge was made anew: that has another index, its ports another age. */
export async function comparable(host: Machine): Promise<string> {
  const text = `${await snapshot(host)}\n${await host.sh(SWITCHES)}`;
  return text
    .replaceAll(/^\d+: /gm, '')
    .replaceAll(/@if\d+|designated_\S+ \S+|port_no \S+|port_id \S+|state \S+/g, '')
    .split('\n')
    .filter(line => !/^ *(link\/|inet6 fe80)/.test(line))
    .sort()
    .join('\n');
}

/** Lines of the one text that the other lacks, `-` for gone and `+` for new. */
export function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')];
  return [...surplus(old, now).map(line => `- ${line}`), ...surplus(now, old).map(line => `+ ${line}`)];
}

function surplus(lines: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1);
  return lines.filter(line => {
    const count = left.get(line) ?? 0;
    left.set(line, count - 1);
    return count <= 0;
  });
}

const ADDRESS = '([0-9]+\\.){3}[0-9]+(/[0-9]+)?|[0-9a-f]+:[0-9a-f:]*:[0-9a-f:]*(/[0-9]+)?';

const COMMANDS = `
PATH=${REAL}:$PATH
echo "== links";     ip -d link
echo "== addresses"; ip address
echo "== rules";     ip rule
echo "== routes";    ip route show table all; ip -6 route show table all
echo "== proxies";   ip neighbour show proxy
echo "== iptables";  iptables-save; ip6tables-save
echo "== sets";      ipset save
echo "== nft";       for family in ip ip6; do
  nft -s -t list table $family hnet 2>/dev/null || true
  # In a set the order of addresses is the kernel's, and those that end by themselves end when they like.
  nft list table $family hnet 2>/dev/null | grep -v expires | grep -oE '${ADDRESS}' | sort || true
done
echo "== processes"; ps -e -o args= | grep -vx -e 'ps .*' -e sort -e 'grep .*' -e 'sh -e' -e 'sh .*hold.sh .*' -e '\\[.*\\].*' | sort
echo "== files";     if [ -d /run/hnet ]; then find /run/hnet ! -type d ! -name '*.lock' ! -name hnet.toml ! -name sync.json ! -name '*.words' | sort; fi
`;

/** iptables makes a table at its first rule and never removes one; with no rule and no policy it does nothing. */
export const withoutEmptyTables = (text: string): string =>
  text.replaceAll(/^\*\w+\n(:[A-Z]+ ACCEPT \[0:0\]\n)*COMMIT\n/gm, '');

/** Entries of ipset's sets that end by themselves; those of `timeout 0` stay. */
export const PASSING = /^add \S+ \S+ timeout [1-9]\d*( packets \d+ bytes \d+)?(\n|(?![\s\S]))/gm;

/** What the first domain with a subnet brings, and what stays for the next: with iptables a rule and an entry of nobody's. */
export const FOR_SUBNETS = /^(-A hnet-subnets |add hnet[46]-particular (::1|127\.0\.0\.1)\b).*\n?/gm;

function normalise(text: string): string {
  const counted = text.replaceAll(/^# (Generated|Completed) .*\n?/gm, '').replaceAll(/\[\d+:\d+\]/g, '[0:0]');
  return (
    withoutEmptyTables(counted)
      // The kernel finds out in its own time whether a link has a carrier, and then gives it a link-local address of its
      // own, whose routes come once nobody has objected to it. All of that goes with the link.
      .replaceAll(
        /\b(NO-CARRIER,|,LOWER_UP)|(?<= )state (UP|DOWN|UNKNOWN|LOWERLAYERDOWN) | (dead )?linkdown\b/g,
        '',
      )
      .replaceAll(/^ +inet6 fe80::[\da-f:]+ff:fe[\da-f]{2}:\S+ .*\n( +valid_lft .*\n)?/gm, '')
      .replaceAll(/^(\w+ )?(fe80::\S*|ff00::\/8) dev .*\bproto kernel .*\n/gm, '')
      .replaceAll(PASSING, '')
      .replaceAll(FOR_SUBNETS, '')
      .replaceAll(/ packets \d+ bytes \d+/g, '')
      .replaceAll(/(\w+)_timer +\S+/g, '$1_timer 0')
      .replaceAll(/ expires \S+/g, '')
      // A set that was made anew has another seed for its hashes.
      .replaceAll(/ initval \S+/g, '')
  );
}
