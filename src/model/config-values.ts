/** The values of single keys of hnet.toml. */
import { parseAddress, parsePrefix, parseRoutable } from './address.ts';
import type { Prefix } from './prefix.ts';
import { ifPossible, quote, Refusal } from './refusal.ts';

/** A duration such as `90s`, `30m`, `1h`, `7d` in seconds. @param least seconds */
const duration =
  (least: number, words: string) =>
  (text: string): number => {
    const [, count, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? [];
    const seconds = Number(count) * ({ s: 1, m: 60, h: 3600, d: 86400 }[unit ?? ''] ?? Number.NaN);
    if (!(seconds >= least)) throw new Refusal(`${quote(text)} is not a time of at least ${words}`);
    return seconds;
  };

/** dnsmasq takes no lease below two minutes. */
export const parseDuration = duration(120, '2m, such as 1h');
/** How long the peers' routers may take to hear of an arrival. */
export const parseSettle = duration(1, '1s, such as 30s');

/** An endpoint of etcd, as etcdctl takes it. */
export function parseEndpoint(text: string): string {
  const url = ifPossible(() => new URL(text));
  if (url !== undefined && /^https?:$/.test(url.protocol) && url.port !== '' && url.pathname === '/')
    return url.origin;
  throw new Refusal(`${quote(text)} is not a URL such as https://10.9.0.1:2379`);
}

/** An address of IPv4, and why no other. @throws Refusal, as all of these do */
const ipv4 =
  (why: string) =>
  (text: string): Prefix => {
    const address = parseAddress(text);
    if (address.family === 4) return address;
    throw new Refusal(`${quote(text)} is an IPv6 address; ${why}`);
  };

export const parseAddress4 = ipv4('those of the uplink are read from its default route');
export const parseBootServer = ipv4('boot ROMs are served in IPv4');

export function parsePool(text: string): Prefix {
  const pool = parseRoutable(text);
  const shortest = pool.family === 4 ? 8 : 16;
  if (pool.length < shortest)
    throw new Refusal(`${quote(text)} is more than a /${shortest}: no provider routes that to one host`);
  return pool;
}

export function parseScopes(text: string): Prefix {
  const scopes = parsePrefix(text);
  if (scopes.family === 4 && scopes.length >= 8 && scopes.length <= 28) return scopes;
  throw new Refusal(`${quote(text)} is not an IPv4 subnet of /8 to /28 to cut scopes from`);
}
