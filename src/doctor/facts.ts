/** What the checks judge by, gathered once. Everything here may be missing: a host in trouble is what it is for. */
import { statSync } from 'node:fs';
import { chooseFirewall } from '../backend.ts';
import { type Config, DEFAULT_CONFIG } from '../config.ts';
import { loadConfig } from '../config-file.ts';
import type { Strangers } from '../firewall/strangers.ts';
import type { Uplink } from '../firewall/uplink.ts';
import { type Host, readIfThere } from '../host.ts';
import { type KnownDomain, withLibvirt } from '../libvirt.ts';
import { observeUplink, readNetwork } from '../observe.ts';
import { observeStrangers } from '../observe-strangers.ts';
import { observeUplinkFacts } from '../observe-uplink.ts';
import { Refusal, reason } from '../refusal.ts';
import type { UplinkFacts } from '../uplink.ts';
import { EMPTY_VIEW, type View } from '../view.ts';

/** A fact, or why it can't be had. */
export type Known<T> =
  | { readonly is: 'known'; readonly value: T }
  | { readonly is: 'unknown'; readonly why: string };

export interface Facts {
  readonly config: Known<Config>;
  readonly uplink: Known<Uplink>;
  /** How it runs, in each family. */
  readonly uplinks: Known<readonly UplinkFacts[]>;
  readonly network: Pick<View, 'links' | 'addresses' | 'routes'>;
  /** What others filter. */
  readonly strangers: Strangers;
  readonly domains: Known<readonly KnownDomain[]>;
  readonly file: (path: string) => File | undefined;
  /** What a command prints; undefined if it can't be run, or fails. */
  readonly output: (...argv: readonly string[]) => string | undefined;
}

export interface File {
  readonly text: string;
  readonly mode: number;
  readonly owner: number;
  /** When it was put there, in seconds since the epoch. */
  readonly since: number;
  readonly isRegular: boolean;
}

export function gather(host: Host): Facts {
  const config = known(() => loadConfig());
  const given = config.is === 'known' ? config.value : DEFAULT_CONFIG;
  const network = known(() => readNetwork(host));
  return {
    config,
    uplink: known(() => observeUplink(host, given)),
    uplinks: known(() => observeUplinkFacts(host, given)),
    network: network.is === 'known' ? network.value : EMPTY_VIEW,
    strangers: observeStrangers(host, chooseFirewall(given)),
    domains: known(() => withLibvirt(libvirt => libvirt.domains())),
    file,
    output: (...argv) => {
      const result = known(() => host.run(argv));
      return result.is === 'known' ? result.value : undefined;
    },
  };
}

function known<T>(read: () => T): Known<T> {
  try {
    return { is: 'known', value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { is: 'unknown', why: reason(error) };
    throw error;
  }
}

function file(path: string): File | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  const { mode, uid: owner, ctimeMs } = status;
  const text = status.isFile() ? (readIfThere(path) ?? '') : '';
  return { text, mode, owner, since: ctimeMs / 1000, isRegular: status.isFile() };
}
