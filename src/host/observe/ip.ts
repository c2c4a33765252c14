/** What `ip -json` prints, parsed into values. */
import * as v from 'valibot';
import { parsePrefix, routeKey } from '../../model/address.ts';
import { ROUTE_PROTOCOL } from '../../model/names.ts';
import { type Family, overlaps, type Prefix } from '../../model/prefix.ts';
import { ifPossible, Refusal } from '../../model/refusal.ts';
import { UNROUTED } from '../../model/reserved.ts';
import type { Link, PortSettings, Route, RoutingRule, View } from '../../model/view.ts';
import { type Answer, allFound } from '../query.ts';

const number = v.optional(v.number(), -1);
const text = v.optional(v.string(), '');

const flag = (usual: boolean) => v.optional(v.boolean(), usual);

const addressSchema = v.object({
  local: v.optional(v.string()),
  /** The other end, where one was named. */
  address: v.optional(v.string()),
  prefixlen: v.optional(v.number()),
});

export const linkSchema = v.object({
  ifindex: v.number(),
  ifname: v.string(),
  flags: v.array(v.string()),
  group: text,
  address: text,
  mtu: number,
  ifalias: text,
  addr_info: v.array(addressSchema),
  master: v.optional(v.string()),
  linkinfo: v.optional(
    v.object({
      info_kind: text,
      info_data: v.optional(
        v.object({ stp_state: number, forward_delay: number, ageing_time: number, mcast_snooping: number }),
      ),
      info_slave_kind: text,
      info_slave_data: v.optional(
        v.object({
          state: v.optional(v.union([v.string(), v.number()])),
          flood: flag(true),
          mcast_flood: flag(true),
          bcast_flood: flag(true),
          locked: flag(false),
          proxy_arp: flag(false),
        }),
      ),
    }),
  ),
});

const routeSchema = v.object({
  /** Missing where it is the one that was asked for, or none. */
  table: v.optional(v.string()),
  type: v.optional(v.string(), 'unicast'),
  dst: v.string(),
  dev: v.optional(v.string()),
  gateway: v.optional(v.string()),
  prefsrc: v.optional(v.string()),
  protocol: v.optional(v.string(), 'boot'),
  metric: v.optional(v.number(), 0),
  flags: v.optional(v.array(v.string()), []),
  /** How a router prefers it: only routes of IPv6 have that. */
  pref: v.optional(v.string()),
  /** Where the route has several next hops; it then has no `dev` or `gateway` of its own. */
  nexthops: v.optional(
    v.array(
      v.object({
        dev: v.optional(v.string()),
        gateway: v.optional(v.string()),
        flags: v.optional(v.array(v.string()), []),
      }),
    ),
    [],
  ),
  /** Of what the kernel has learnt by itself, and of a router's advertisements. */
  expires: v.optional(v.unknown()),
  metrics: v.optional(v.array(v.object({ mtu: v.optional(v.number()) })), []),
});

export type AddressAnswer = v.InferOutput<typeof addressSchema>;
export type RouteAnswer = v.InferOutput<typeof routeSchema>;

export const firstRoute = (answers: ReadonlyMap<unknown, Answer>, what: string): RouteAnswer | undefined =>
  parse(routeSchema, allFound(answers), what)[0];

/** @throws Refusal if the output isn't what it should be */
export function parse<T>(schema: v.GenericSchema<unknown, T>, output: unknown, what: string): T[] {
  const result = v.safeParse(v.array(schema), output);
  if (result.success) return result.output;
  throw new Refusal(
    `Cannot read ${what}: ${result.issues[0].message} at ${v.getDotPath(result.issues[0]) ?? 'its top'}`,
  );
}

const proxySchema = v.object({ dst: v.string(), dev: v.string(), protocol: text });

function toLink(link: v.InferOutput<typeof linkSchema>): Link {
  const { info_kind: kind = '', info_data: data, info_slave_kind: slave } = link.linkinfo ?? {};
  return {
    index: link.ifindex,
    alias: link.ifalias,
    group: link.group === 'default' ? 0 : Number(link.group),
    kind,
    mac: link.address,
    mtu: link.mtu,
    up: link.flags.includes('UP'),
    carrier: link.flags.includes('LOWER_UP'),
    arp: !link.flags.includes('NOARP'),
    master: link.master,
    bridge:
      kind === 'bridge' && data !== undefined
        ? {
            stp: data.stp_state,
            forwardDelay: data.forward_delay,
            ageingTime: data.ageing_time,
            mcastSnooping: data.mcast_snooping,
          }
        : undefined,
    port: slave === 'bridge' ? toPort(link.linkinfo?.info_slave_data) : undefined,
  };
}

type SlaveData = NonNullable<v.InferOutput<typeof linkSchema>['linkinfo']>['info_slave_data'];

const toPort = (data: SlaveData): PortSettings | undefined =>
  data && {
    state: String(data.state ?? 'forwarding'),
    flood: data.flood,
    mcastFlood: data.mcast_flood,
    bcastFlood: data.bcast_flood,
    locked: data.locked,
    proxyArp: data.proxy_arp,
  };

/** Links and their addresses, both from `ip address show`. */
export function toLinks(found: readonly unknown[]): Pick<View, 'links' | 'addresses'> {
  const links = parse(linkSchema, found, 'ip address');
  return {
    links: new Map(links.map(link => [link.ifname, toLink(link)])),
    addresses: new Map(
      links.map(({ ifname, addr_info }) => [
        ifname,
        addr_info.flatMap(({ local, prefixlen }) => (local === undefined ? [] : [`${local}/${prefixlen}`])),
      ]),
    ),
  };
}

/** Kinds of routes by which the host takes packets itself. A lookup may say that they are of main; they never are. */
export const OWN_ROUTES = ['local', 'broadcast', 'anycast'];

export function toRoutes(family: Family, found: readonly unknown[]): ReadonlyMap<string, Route> {
  const routes = toRouteAnswers(found).filter(
    ({ table = 'main', type }) => table === 'main' && !OWN_ROUTES.includes(type),
  );
  return new Map(
    routes.map(answer => {
      const route = toRoute(family, answer);
      return [routeKey(route.prefix, route.metric), route];
    }),
  );
}

/** Routes of both families and all tables, as `ip` lists those of one protocol, which it then doesn't name. */
export function toRoutesOf(
  protocol: string,
  found: readonly unknown[],
): readonly { table: string; route: Route }[] {
  return toRouteAnswers(found).map(answer => {
    const { dst, gateway, table = 'main', nexthops, pref } = answer;
    // A default route by a device alone has no address in it.
    const isSix = pref !== undefined || `${dst} ${gateway} ${nexthops[0]?.gateway}`.includes(':');
    const family = isSix ? 6 : 4;
    return { table, route: toRoute(family, { ...answer, protocol }) };
  });
}

/**
 * Answers without the routes that leave by an uplink, before anything of them is read: there may be many thousands. Those to
 * private networks stay, for whether a rule that names one can match is asked of them.
 */
export const withoutOutward = (found: readonly unknown[], uplinks: readonly string[]): unknown[] =>
  found.filter(one => {
    if (!v.is(singleSchema, one) || !uplinks.includes(one.dev)) return true;
    const prefix = ifPossible(() => parsePrefix(one.dst));
    return prefix === undefined || UNROUTED[prefix.family].some(net => overlaps(net, prefix));
  });

/** A route with one hop. */
const singleSchema = v.object({ dev: v.string(), dst: v.string() });

function toRoute(
  family: Family,
  { type, dst, dev, gateway, protocol, metric, nexthops }: RouteAnswer,
): Route {
  const prefix: Prefix = dst === 'default' ? { family, first: 0n, length: 0 } : parsePrefix(dst);
  const hopOf = (text: string | undefined) => (text === undefined ? undefined : parsePrefix(text));
  const hops = nexthops.map(hop => ({ dev: hop.dev, gateway: hopOf(hop.gateway) }));
  const route = { prefix, type, dev, gateway: hopOf(gateway), protocol, metric };
  return hops.length === 0 ? route : { ...route, hops };
}

/** The interfaces by which a route leads, each once. The kernel takes no next hop that is `dead`. */
export const devicesOf = ({ dev, nexthops }: Pick<RouteAnswer, 'dev'> & Hops): readonly string[] => {
  const alive = nexthops.filter(({ flags }) => !flags.includes('dead')).map(hop => hop.dev);
  return [...new Set([dev, ...alive])].filter(one => one !== undefined);
};

interface Hops {
  readonly nexthops: readonly Pick<RouteAnswer['nexthops'][number], 'dev' | 'flags'>[];
}

export const toRouteAnswers = (found: readonly unknown[]): RouteAnswer[] =>
  parse(routeSchema, found, 'ip route');

const ruleSchema = v.looseObject({
  priority: v.number(),
  src: v.optional(v.string(), 'all'),
  srclen: v.optional(v.number()),
  dst: v.optional(v.string()),
  dstlen: v.optional(v.number()),
  table: v.optional(v.string()),
  suppress_prefixlen: v.optional(v.number()),
  protocol: text,
});

/** Each line of `ip rule`. What only a stranger's rule has is in its words by the names of `ip`'s own JSON. */
export function toRules(family: Family, found: readonly unknown[]): RoutingRule[] {
  return parse(ruleSchema, found, 'ip rule').map(rule => {
    const {
      priority,
      src,
      srclen,
      dst,
      dstlen,
      table,
      suppress_prefixlen: suppressed,
      protocol,
      ...more
    } = rule;
    const net = (address: string, length: number | undefined): string =>
      length === undefined ? address : `${address}/${length}`;
    const words = [
      ...Object.entries(more).map(([key, value]) => (value === null ? key : `${key} ${value}`)),
      // Ours always name one of both.
      ...(src === 'all' && dst !== undefined ? [] : [`from ${net(src, srclen)}`]),
      ...(dst === undefined ? [] : [`to ${net(dst, dstlen)}`]),
      ...(table === undefined ? [] : [`lookup ${table}`]),
      ...(suppressed === undefined ? [] : [`suppress_prefixlength ${suppressed}`]),
    ];
    return {
      family,
      preference: priority,
      words: words.join(' '),
      isOurs: protocol === String(ROUTE_PROTOCOL),
    };
  });
}

/** The addresses that the kernel answers for in our name. */
export const toProxies = (found: readonly unknown[]): View['proxies'] =>
  new Set(
    parse(proxySchema, found, 'ip neigh')
      .filter(({ protocol }) => protocol === String(ROUTE_PROTOCOL))
      .map(({ dst, dev }) => `${dst} ${dev}`),
  );
