/** The shapes of what is shown, as docs/schema has them. */
import type { AddressState } from '../../model/address-state.ts';
import type { Counter } from '../../model/counter.ts';
import type { Interface, Settings } from '../../model/settings.ts';
import type { Traffic } from '../../model/traffic.ts';
import type { CountedRule } from './rules.ts';

/** What is installed, null where it isn't, or doesn't say its version. */
export interface Versions {
  readonly hnet: string;
  readonly node: string;
  readonly system: string | null;
  readonly kernel: string;
  readonly libvirt: string | null;
  readonly hypervisor: string | null;
  /** Program → what it says of itself. */
  readonly tools: Readonly<Record<string, string | null>>;
}

/** One domain, as `status --json` has it. */
export interface Shown extends Settings {
  readonly domain: string;
  readonly uuid: string;
  /** `incoming`, `leaving`: another host of the cluster runs it still, or already. */
  readonly state: 'running' | 'stopped' | 'incoming' | 'leaving';
  /** `open`, or what its rules close. */
  readonly policy: string;
  readonly addresses: readonly ShownAddress[];
  /** All that is wrong with it. */
  readonly faults: readonly string[];
}

export interface ShownAddress extends AddressState {
  /** The address that the DHCP server has leased to it. */
  readonly lease: string | null;
  /** Those of the domain's faults that concern this address. */
  readonly faults: readonly string[];
}

/** A domain that has nothing of hnet's. */
export interface Other {
  readonly domain: string;
  readonly uuid: string;
  readonly state: 'running' | 'stopped';
  readonly interfaces: readonly Interface[];
}

/** Addresses of the pools that no domain is given, or only that of a name. */
export interface KeptBack {
  /** The host's own, with its interface; another host's, with its name; a gateway's, or every router's of an IPv6 subnet. */
  readonly own: readonly {
    readonly address: string;
    readonly interface: string | null;
    readonly host: string | null;
  }[];
  readonly reservations: readonly {
    readonly address: string;
    readonly name: string | null;
    readonly since: string;
  }[];
}

/** What was counted of a domain that has rules, since it started. */
export interface CountedDomain {
  readonly domain: string;
  readonly uuid: string;
  readonly rules: readonly (CountedRule & Counter)[];
  /** By cause. */
  readonly dropped: Readonly<Record<string, Counter>>;
}

/** The counters of one address. */
export interface Counted {
  readonly domain: string;
  readonly uuid: string;
  readonly address: string;
  /** Since the domain started; zero if it doesn't run. */
  readonly sinceStart: Traffic;
  readonly total: Traffic;
}

/** How much of a pool is in use. */
export interface ShownPool {
  readonly pool: string;
  readonly size: bigint;
  readonly free: bigint;
  readonly assigned: bigint;
  readonly up: bigint;
  readonly reserved: bigint;
}
