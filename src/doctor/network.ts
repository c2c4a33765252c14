import { DOCKER_SETTINGS, freeRange, type Use, usesOf, usesOfDocker } from '../assign/scopes.ts';
import { uplinkFaults } from '../guest/uplink-faults.ts';
import { familiesIn } from '../host/choose-backend.ts';
import { hasTool } from '../host/tools.ts';
import { format, parseSubnet } from '../model/address.ts';
import type { Config } from '../model/config.ts';
import { refuseHostInRanges } from '../model/fit.ts';
import { CONFIG_FILE, ROUTE_PROTOCOL } from '../model/names.ts';
import { contains, FAMILIES, overlaps, type Prefix } from '../model/prefix.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { lacksGateway, ownAddresses, type Uplink, type UplinkFacts } from '../model/uplink.ts';
import type { Route } from '../model/view.ts';
import { FORWARDING, forwardingOf } from '../resources/forwarding.ts';
import { type Diagnosis, diagnosis, EDIT } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

const edit = (what: string): string => `${EDIT}  # ${what}`;

export function checkConfig({ config, isRejected }: Facts): Diagnosis[] {
  if (isRejected)
    return diagnosis(
      `${CONFIG_FILE} cut off the host when it was applied, or would have`,
      'the configuration before it is in force',
      edit('change it; then: hnet sync'),
    );
  if (config.is === 'unknown') return diagnosis(config.why, 'no VM of ours starts', EDIT);
  if (config.value.pools.length > 0) return [];
  const mend = edit('name what your provider routes here');
  return diagnosis('"pools" is empty', 'there is no address to assign', mend);
}

export function checkUplinks({ uplinks, configured, network }: Facts): Diagnosis[] {
  const mend = 'ip route add default via GATEWAY dev DEVICE';
  if (uplinks.is === 'unknown') return diagnosis(uplinks.why, 'nothing of ours can be set up', mend);
  const found = uplinks.value.flatMap(uplink => checkUplink(uplink, network));
  return found.length > 0 ? found : checkWire(knownValue(configured) ?? []);
}

function checkUplink(uplink: Uplink, network: Network): Diagnosis[] {
  const { device, gateway, host, way } = uplink;
  const missing = `the uplink ${device} is down or missing`;
  if (!network.links.get(device)?.up)
    return diagnosis(
      missing,
      `no VM reaches anything${way === 0 ? '' : ' by it'}`,
      `ip link set ${device} up`,
    );
  // A further uplink may be a tunnel, which has no gateway; one with IPv6 alone has none of IPv4.
  if (way === 0 && host !== undefined && gateway === undefined)
    return diagnosis(
      'the default route has no gateway',
      "a domain could be given the gateway's address, for hnet does not know it",
      edit('gateway = "ADDRESS"'),
    );
  return way === 0 ? [] : checkNext(uplink, network);
}

function checkNext(uplink: Uplink, { links }: Network): Diagnosis[] {
  const { device, pools } = uplink;
  const lacking = FAMILIES.filter(
    family => pools.some(pool => pool.family === family) && lacksGateway(family, uplink, links.get(device)),
  );
  return lacking.flatMap(family =>
    diagnosis(
      `the uplink ${device} has no IPv${family} gateway`,
      'what its VMs send to the Internet is looked for on its wire, where nobody answers',
      edit(`gateway = "ADDRESS" under [[uplinks]], beside device = "${device}"`),
    ),
  );
}

function checkWire(configured: readonly UplinkFacts[]): Diagnosis[] {
  const mend = 'hnet host --format ifupdown  # or netplan';
  // checkForwarding looks at forwarding.
  const facts = configured.filter(({ family }) => family === 4).map(fact => ({ ...fact, forwarding: true }));
  return facts
    .flatMap(uplinkFaults)
    .flatMap(fault => diagnosis(fault, 'what lies beside the host is not reached', mend));
}

export function checkForwarding({ config, uplinks, file }: Facts): Diagnosis[] {
  const devices = (knownValue(uplinks) ?? []).map(({ device }) => device);
  return familiesIn(knownValue(config)?.pools ?? []).flatMap(family => {
    const off = devices.filter(device => file(forwardingOf(family, device))?.text.trim() === '0');
    const isOff = file(FORWARDING[family])?.text.trim() !== '1';
    if (!isOff && off.length === 0) return [];
    const what = `IPv${family} forwarding is off${isOff ? '' : ` on ${off.join(', ')}`}`;
    return diagnosis(what, 'nothing passes between the uplink and the VMs', 'hnet sync');
  });
}

/** Pools that hold the host, or that the host routes elsewhere. */
export function checkPools({ config, uplinks, network }: Facts): Diagnosis[] {
  if (config.is === 'unknown') return [];
  const own = uplinks.is === 'known' ? ownAddresses(uplinks.value) : [];
  // By the wire other hosts' addresses are reached, which are of the same pools.
  const { pools, cluster } = config.value;
  const routes = [...network.routes].filter(([, { dev }]) => cluster === undefined || dev !== cluster.wire);
  const here = { ...network, routes: new Map(routes) };
  return [...checkOwn(config.value, own), ...checkElsewhere(pools, own, here)];
}

function checkOwn(config: Config, own: readonly Prefix[]): Diagnosis[] {
  try {
    refuseHostInRanges(config, own);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return diagnosis(reason(error), "the host's own address would be routed to a VM", EDIT);
  }
}

function checkElsewhere(pools: readonly Prefix[], own: readonly Prefix[], network: Network): Diagnosis[] {
  // Without a route to the host's next hop the host itself would be cut off.
  const hops = [...network.routes.values()].flatMap(({ gateway }) => gateway ?? []);
  const isNeeded = (prefix: Prefix): boolean => [...own, ...hops].some(one => contains(prefix, one));
  return foreignRoutes(network)
    .filter(route => !isUplinkSubnet(route, network))
    .flatMap(({ prefix, dev, type }) => {
      const pool = pools.find(one => overlaps(one, prefix));
      if (pool === undefined) return [];
      return diagnosis(
        `the host routes ${format(prefix)} to ${dev ?? type}, in the pool ${format(pool)}`,
        'addresses there never reach their VM',
        isNeeded(prefix)
          ? edit(`take ${format(prefix)} out of "pools": the host's own traffic needs that route`)
          : `ip route delete ${type === 'unicast' ? '' : `${type} `}${format(prefix)}${dev === undefined ? '' : ` dev ${dev}`}`,
      );
    });
}

/** Bootstrap scopes that something else on the host uses, or may use. */
export function checkScopes({ config, network, file }: Facts): Diagnosis[] {
  if (config.is === 'unknown') return [];
  const { dhcp, pools } = config.value;
  const ranges = dhcp.scopes.map(format).join(', ');
  const docker = usesOfDocker(
    hasTool('dockerd', path => file(path) !== undefined),
    file(DOCKER_SETTINGS)?.text ?? '',
  );
  const meeting = (uses: readonly Use[]): Use[] =>
    uses.filter(({ prefix }) => dhcp.scopes.some(range => overlaps(range, prefix)));
  const uses = usesOf(network);
  const taken = uniqueBy(meeting(uses));
  const free = freeRange([...uses, ...docker, ...pools.map(prefix => ({ prefix, by: 'a pool' }))]);
  const mend = edit(free === undefined ? 'choose another range for "scopes"' : `scopes = "${format(free)}"`);
  if (taken.length > 0)
    return taken.flatMap(({ by }) =>
      diagnosis(
        `the bootstrap scopes ${ranges} overlap ${by}`,
        'domains whose scope lies there are refused',
        mend,
      ),
    );
  const [first] = meeting(docker);
  if (first === undefined) return [];
  return diagnosis(
    `the bootstrap scopes ${ranges} overlap ${first.by}`,
    'its next network may take the scope of a domain, which is then refused',
    `${mend}; or set "default-address-pools" in ${DOCKER_SETTINGS}`,
  );
}

/** An address on an interface has a route too. */
const uniqueBy = (uses: readonly Use[]): Use[] => [
  ...new Map(uses.toReversed().map(use => [format(use.prefix), use])).values(),
];

type Network = Facts['network'];

/** Routes that aren't ours, without the default route and the halves of it that VPNs use. */
function foreignRoutes({ routes, links }: Network): Route[] {
  const ours = new Set([...links].filter(([, { alias }]) => alias.startsWith('hnet ')).map(([name]) => name));
  return [...routes.values()].filter(
    ({ prefix, protocol, dev }) =>
      prefix.length >= 8 && protocol !== String(ROUTE_PROTOCOL) && !ours.has(dev ?? ''),
  );
}

/** The kernel adds such a route for the subnet of an interface's address. */
const isUplinkSubnet = ({ prefix, dev }: Route, { addresses }: Network): boolean =>
  (addresses.get(dev ?? '') ?? []).map(parseSubnet).some(subnet => contains(subnet, prefix));
