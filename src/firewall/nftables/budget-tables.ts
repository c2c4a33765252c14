/** What one bridge may take of the host's tables that all bridges share, as tables of nftables. */
import { format } from '../../model/address.ts';
import type { Config } from '../../model/config.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import { CAUSES } from '../rules/rules.ts';
import { NOTED } from '../rules/sets.ts';

/** A table of its own, for a family that no other table of ours is in. */
export interface Budget {
  readonly family: 'arp' | 'inet';
  readonly label: string;
  readonly sets: Readonly<Record<string, string>>;
  readonly meters: readonly Meter[];
}

/** A chain that counts, the hook it hangs on, and which packets of the hook it sees. */
interface Meter {
  readonly hook: string;
  readonly seen: string;
  readonly name: string;
  readonly rules: readonly string[];
  /** The set that notes the bridges of which it drops packets. */
  readonly over: string;
  readonly cause: string;
}

/** What the limits depend on. */
interface Given {
  readonly pools: Config['pools'];
  /** How many connections the kernel tracks at all. */
  readonly connections: number;
}

export const budgetTables = (given: Given): Budget[] => [senders(given), connections(given)];

/** How many senders of ARP requests a bridge may have at first, and how many more in a minute. */
const SENDERS = 32;
const FURTHER = 16;
/** For so many seconds after its last request a sender is known. */
const KNOWN = 120;

const ofBridges = (seconds: number): string =>
  `type iface_index; size 4096; flags dynamic, timeout; timeout ${seconds}s;`;

/**
 * Each sender of an ARP request gets an entry in the host's neighbour table if it is routed back to its bridge: all
 * addresses of the bridge's scope are. Known senders aren't limited, so a guest that asks for many doesn't lose its gateway.
 * Addresses of the pools are a domain's own, and as many as it was assigned.
 */
const senders = ({ pools }: Given): Budget => ({
  family: 'arp',
  label: 'limit of ARP senders',
  sets: {
    'hnet-senders': `type iface_index . ipv4_addr; size 65536; flags dynamic, timeout; timeout ${KNOWN}s;`,
    'hnet-new-senders': ofBridges(KNOWN),
    'hnet-over-senders': ofBridges(NOTED),
  },
  meters: [
    {
      hook: 'filter hook input priority 0',
      seen: `iifgroup ${DEVICE_GROUP} arp operation request`,
      name: 'hnet-senders',
      rules: [
        ...pools.filter(({ family }) => family === 4).map(pool => `arp saddr ip ${format(pool)} return`),
        'iif . arp saddr ip @hnet-senders update @hnet-senders { iif . arp saddr ip } return',
        `update @hnet-new-senders { iif limit rate over ${FURTHER}/minute burst ${SENDERS} packets } add @hnet-over-senders { iif } counter drop`,
        'update @hnet-senders { iif . arp saddr ip }',
      ],
      over: 'hnet-over-senders',
      cause: CAUSES.senders,
    },
  ],
});

/** The part of all tracked connections that one bridge may have, each way: so it takes many to fill the table. */
const PART = 32;

/**
 * Tracked connections: of bootstrap leases, of domains with rules, and with the host itself. The hooks of address
 * translation see only the first packet of a connection, and no untracked one, so other packets pay nothing. Counting
 * visits every connection of the bridge. So there may be only so many new ones a second, and after one too many the bridge
 * waits for a second.
 */
const connections = ({ connections: all }: Given): Budget => ({
  family: 'inet',
  label: 'limit of connections',
  sets: { ...setsOf('from'), ...setsOf('to') },
  meters: [
    counting('from', 'iif', 'prerouting priority -101', CAUSES.opening, Math.floor(all / PART)),
    counting('to', 'oif', 'postrouting priority 98', CAUSES.opened, Math.floor(all / PART)),
  ],
});

const setsOf = (way: string): Budget['sets'] => ({
  [`hnet-full-${way}`]: ofBridges(1),
  [`hnet-new-${way}`]: ofBridges(10),
  [`hnet-over-${way}`]: ofBridges(NOTED),
  // A set whose entries count connections can't have a timeout. They end with the last connection.
  [`hnet-connections-${way}`]: 'type iface_index; size 4096; flags dynamic;',
});

const counting = (way: string, device: string, hook: string, cause: string, most: number): Meter => ({
  hook: `nat hook ${hook}`,
  seen: `${device}group ${DEVICE_GROUP}`,
  name: `hnet-connections-${way}`,
  rules: [
    `${device} @hnet-full-${way} counter drop`,
    `update @hnet-new-${way} { ${device} limit rate over 1000/second burst 4000 packets } add @hnet-over-${way} { ${device} } counter drop`,
    `add @hnet-connections-${way} { ${device} ct count over ${most} } add @hnet-full-${way} { ${device} } add @hnet-over-${way} { ${device} } counter drop`,
  ],
  over: `hnet-over-${way}`,
  cause,
});
