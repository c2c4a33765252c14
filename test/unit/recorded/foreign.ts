/** Other people's rules as Debian 12 prints them, and what other releases make of them. */
import { readFileSync } from 'node:fs';

const textOf = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** What a release printed: title → `nft -j -t list ruleset`, or `iptables-save`. */
export interface Foreign {
  readonly odd: Record<string, string>;
  readonly listings: Record<string, string>;
  readonly saved: Record<string, string>;
}

/** What record-foreign.ts has recorded. */
export const recordedBy = (release: number): Foreign =>
  JSON.parse(textOf(`recorded/foreign-${release}.json`)) as Foreign;

/** Title → the ruleset, and what nft 1.0.6 prints. */
export const ODD_NFT: ReadonlyMap<string, { readonly ruleset: string; readonly listing: string }> = new Map(
  textOf('odd-nft.txt')
    .split(/^### /m)
    .slice(1)
    .map(part => {
      const [title = '', ...lines] = part.trim().split('\n');
      return [title, { ruleset: lines.slice(0, -1).join('\n'), listing: lines.at(-1) ?? '' }];
    }),
);

/** What iptables-save 1.8.9 prints: a filter table of IPv4, and one of IPv6. */
export const ODD_SAVED = textOf('odd-iptables.txt')
  .split(/^(?=\*filter)/m)
  .slice(1)
  .map((text, index) => ({ text, family: index === 0 ? 4 : 6 }) as const);

/** One thing of a listing, under its kind. */
type Listed = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const STRANGERS = JSON.parse(textOf('strangers.data.json')) as {
  readonly listings: Record<string, { readonly nftables: readonly Listed[] }>;
  readonly saved: Record<string, string>;
};

/** Title → JSON that `nft -j -f` takes: rules come last, for chains that they jump to. Those of iptables aren't taken. */
export function listings(): [string, string][] {
  const kinds = ['table', 'chain', 'set', 'map', 'element', 'rule'];
  const rank = (one: Listed): number => kinds.indexOf(Object.keys(one)[0] ?? '');
  return Object.entries(STRANGERS.listings)
    .filter(([title]) => !title.includes('iptables'))
    .map(([title, { nftables }]) => {
      const all = nftables.filter(one => !('metainfo' in one)).map(one => withoutHandle(one));
      return [title, JSON.stringify({ nftables: all.toSorted((a, b) => rank(a) - rank(b)) })];
    });
}

const withoutHandle = (one: Listed): Listed =>
  Object.fromEntries(Object.entries(one).map(([kind, { handle: _, ...rest }]) => [kind, rest]));

/** Title → a table of iptables. */
export const savedTables = (): [string, { readonly text: string; readonly family: 4 | 6 }][] => [
  ...ODD_SAVED.map((one): [string, typeof one] => [`odd ${one.family}`, one]),
  ...Object.entries(STRANGERS.saved).map(([title, text]): [string, { text: string; family: 4 }] => [
    title,
    { text, family: 4 },
  ]),
];

/** The sets that the odd rules ask, of whichever kind the kernel has. */
export const SAVED_SETS =
  'ipset create tbl hash:ip; ipset create tnet hash:net,net || ipset create tnet hash:ip,port';
