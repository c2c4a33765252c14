/** What is known of a domain that may not be reachable. All of it is text and numbers, as `--json` prints it. */
import type { DhcpMode } from '../../model/dhcp-mode.ts';
import type { Family } from '../../model/prefix.ts';
import type { Heard } from './hearing.ts';

/** What explains that a domain isn't reachable, and what to do. */
export interface Finding {
  /** A word for programs; docs/reference.md lists them. */
  readonly cause: string;
  /** The address that it is about; null: the domain as a whole. */
  readonly address: string | null;
  readonly saw: string;
  readonly mend: string;
}

export interface ReachFacts {
  readonly domain: string;
  readonly uuid: string;
  /** How a command names it. */
  readonly word: string;
  /** libvirt's own word: `running`, `paused`, `shut off` … */
  readonly state: string;
  readonly assignment: 'none' | 'assigned' | 'a clone' | 'unreadable';
  /** Why its metadata can't be used. */
  readonly why: string | null;
  /** What its record says that differs from its metadata, or why there is none; null if they agree. */
  readonly record: string | null;
  readonly addresses: readonly AddressFacts[];
  readonly bridges: readonly BridgeFacts[];
  readonly nics: readonly NicFacts[];
  /** Things of hnet's own that aren't as they should be: its own and the whole host's. */
  readonly drift: readonly Drift[];
  readonly rules: RuleFacts;
  /** Other people's chains that drop what belongs to its addresses. */
  readonly blockades: readonly string[];
  /** Those by which its addresses come and go. */
  readonly uplinks: readonly UplinkFacts[];
  /** What couldn't be looked at, a sentence each. */
  readonly blind: readonly string[];
}

export interface AddressFacts {
  readonly address: string;
  readonly family: Family;
  readonly bridge: string;
  /** The domain's own address that routes it on; null: it is on the bridge itself. */
  readonly via: string | null;
  /** Ports of the host that lead to it: the host's, as `hnet forward` names them, and the domain's of each. */
  readonly forwards: readonly { readonly forward: string; readonly port: number }[];
  /** The interfaces by which it comes and goes. */
  readonly uplinks: readonly string[];
  /** The gateways that a system inside may use: one that is configured in it, and one that DHCP tells it. */
  readonly gateways: readonly string[];
  /** Another domain that has it up. */
  readonly holder: string | null;
  /** Why the kernel wouldn't serve it. */
  readonly kernel: readonly { readonly why: string; readonly mend: string }[];
  /** What was heard of it; null where nobody listened. */
  readonly heard: Heard | null;
  /** Packets that were counted meanwhile, towards the domain and from it; null if they couldn't be. */
  readonly counted: { readonly in: number; readonly out: number } | null;
}

export interface NicFacts {
  readonly mac: string;
  /** The bridge or network it is plugged into, by libvirt's word. */
  readonly source: string | null;
  readonly link: 'up' | 'down';
  /** The host's end of it; null if libvirt names none. */
  readonly tap: string | null;
  /** What the kernel says of that; null if there is no such interface. */
  readonly port: { readonly master: string | null; readonly up: boolean; readonly mtu: number } | null;
}

export interface BridgeFacts {
  readonly name: string;
  readonly mtu: number;
  /** Addresses that the domain uses on it, beside those that it was assigned. */
  readonly uses: readonly string[];
  /** Addresses that it asks for, and nobody answers. */
  readonly asksInVain: readonly string[];
  /** Limits of hnet's that it exceeds, by the causes of `hnet traffic`. */
  readonly exceeds: readonly string[];
  /** Whether anything was heard of the domain; null where nobody listened. */
  readonly talks: boolean | null;
  /** Its private subnet. */
  readonly scope: string;
  readonly dhcp: {
    readonly mode: DhcpMode;
    /** Whether the domain asked for a lease while we listened, and was answered. */
    readonly asked: boolean;
    readonly answered: boolean;
    /** What the server last leased to the domain. */
    readonly leases: readonly string[];
    /** Who else has the port; null: nobody. */
    readonly rival: string | null;
  };
}

/** A resource of hnet's that isn't as it should be. */
export interface Drift {
  /** Its key, whose first word is the kind of thing that it is. */
  readonly key: string;
  readonly what: string;
  readonly why: string;
  /** Somebody else's thing stands in its place, and hnet leaves that alone. */
  readonly isForeign: boolean;
}

/** The uplinks of an address. */
export const uplinksOf = ({ uplinks: own }: AddressFacts, { uplinks }: ReachFacts): UplinkFacts[] =>
  uplinks.filter(({ device }) => own.includes(device));

/** Interfaces as a sentence names them. */
export const devicesIn = (uplinks: readonly UplinkFacts[]): string =>
  uplinks.map(({ device }) => device).join(' or ');

/** Whether an address, as it is printed, is of a family. */
export const isOf = (family: Family, address: string): boolean => address.includes(':') === (family === 6);

export const kindOf = ({ key }: Drift): string => key.split(' ')[0] ?? '';

export interface RuleFacts {
  readonly inbound: 'allow' | 'deny';
  readonly isolate: boolean;
  readonly rules: readonly string[];
  /** Packets that its own rules dropped meanwhile, without the answers that we asked for. */
  readonly dropped: number;
  /** And those that all domains share: cause → packets. */
  readonly shared: Readonly<Record<string, number>>;
}

interface UplinkFacts {
  readonly device: string;
  /** The largest packet that the way out takes, in bytes. */
  readonly mtu: number;
  /** Gateways that were asked for on its wire, and didn't answer. */
  readonly silent: readonly string[];
  /** The host's own addresses: what a domain may ask for as its gateway. */
  readonly own: readonly string[];
}
