/** What the system inside the domain does with its address; pure. */
import { CAUSES } from '../../firewall/rules/rules.ts';
import { parsePrefix } from '../../model/address.ts';
import { contains } from '../../model/prefix.ts';
import {
  type AddressFacts,
  type BridgeFacts,
  type Drift,
  type Finding,
  isOf,
  kindOf,
  type ReachFacts,
} from './facts.ts';

/** What is routed on comes last: it fails with the address that routes it on. */
export const explainGuest = (facts: ReachFacts): Finding[] =>
  [
    ...facts.addresses.filter(({ via }) => via === null),
    ...facts.addresses.filter(({ via }) => via !== null),
  ].flatMap(one => {
    const bridge = facts.bridges.find(({ name }) => name === one.bridge);
    if (bridge === undefined || one.heard === null) return [];
    const found =
      one.heard.answers === null ? explainAbsence(one, bridge, facts) : explainSilence(one, bridge, facts);
    const all = found === undefined ? explainCalls(one, facts) : [found];
    return all.map(about => ({ ...about, address: one.address }));
  });

type About = Omit<Finding, 'address'>;

/** It answers for no such address. */
function explainAbsence(address: AddressFacts, bridge: BridgeFacts, facts: ReachFacts): About {
  if (address.via !== null) return explainNextHop(address.via, bridge, facts);
  const [server] = serverDrift(facts.drift, bridge);
  return (
    explainOther(address, bridge, facts) ??
    (server === undefined ? explainNothing(bridge, facts) : dhcpFinding(server, bridge))
  );
}

const explainNextHop = (via: string, { name }: BridgeFacts, { word }: ReachFacts): About => ({
  cause: 'next hop',
  saw: `the VM routes it on at ${via}, and doesn't answer for that on ${name}`,
  mend: toConfigure(word),
});

/** Ports of the host lead to it, and nobody takes the calls. */
const explainCalls = ({ address, heard, forwards }: AddressFacts, { word }: ReachFacts): About[] =>
  forwards.flatMap(({ forward, port }) => {
    const answer = heard?.calls.find(one => one.port === port)?.answer;
    if (heard?.replies !== 'yes' || answer === undefined || answer === 'accepted') return [];
    const leads = `${forward} leads to ${address} tcp/${port}`;
    return answer === 'refused'
      ? {
          cause: 'forward',
          saw: `${leads}, and nothing in the VM listens there`,
          mend: `virsh console ${word}  # ss -ltn: does the program listen on ${address}, or only on 127.0.0.1?`,
        }
      : {
          cause: 'forward',
          saw: `${leads}, and the VM doesn't answer there, though it answers a ping: its own firewall drops it`,
          mend: `virsh console ${word}  # nft list ruleset`,
        };
  });

const toConfigure = (word: string): string => `hnet guest ${word} --format all  # what to configure inside`;

/** It uses another one instead. */
function explainOther(
  { address, family, gateways }: AddressFacts,
  { name, uses, scope }: BridgeFacts,
  { word, rules }: ReachFacts,
): About | undefined {
  const others = uses.filter(text => isOf(family, text));
  const isInner = (text: string): boolean => contains(parsePrefix(scope), parsePrefix(text));
  const own = others.filter(text => family === 4 && isInner(text));
  if (own.length > 0) {
    const saw = `the VM lives on its bootstrap lease ${own.join(', ')} on ${name}, and doesn't have the address`;
    // A private address is leased already.
    const orLeased = isInner(address) ? '' : `; or: hnet assign ${word} --dhcp public`;
    const mend = `${toConfigure(word)}${orLeased}`;
    return { cause: 'bootstrap lease', saw, mend };
  }
  if (others.length === 0) return undefined;
  const spoofed = rules.shared[CAUSES.spoofed] ?? 0;
  const dropped = spoofed > 0 ? ` (hnet dropped ${spoofed} spoofed packets meanwhile)` : '';
  const right = `its gateway would be ${gateways.join(' or ')}`;
  const saw = `the VM uses ${others.join(', ')} on ${name}${dropped}, and doesn't have the address; ${right}`;
  return { cause: 'other address', saw, mend: toConfigure(word) };
}

/** Nothing is known of what it uses. */
function explainNothing({ name, talks, dhcp }: BridgeFacts, { word }: ReachFacts): About {
  if (dhcp.asked && !dhcp.answered && dhcp.mode !== 'off') {
    const saw = `the VM asks for a lease on ${name}, and the server doesn't answer`;
    return { cause: 'dhcp', saw, mend: 'journalctl -t dnsmasq-dhcp' };
  }
  const last = lastLease(dhcp);
  if (talks === true) {
    const saw = `the VM talks on ${name}, and doesn't answer for the address${last}`;
    return { cause: 'no address', saw, mend: toConfigure(word) };
  }
  const mend = `virsh console ${word}  # does it boot, and is its interface up?`;
  return { cause: 'silent', saw: `nothing comes from the VM on ${name}${last}`, mend };
}

const lastLease = ({ leases }: BridgeFacts['dhcp']): string =>
  leases.length > 0 ? `; its last lease is ${leases.join(', ')}` : '';

/** It answers for the address, and not to a ping that comes from outside. */
function explainSilence(
  { address, family, gateways, heard, counted }: AddressFacts,
  bridge: BridgeFacts,
  { word, uplinks }: ReachFacts,
): About | undefined {
  if (heard?.replies !== 'no' || (counted?.out ?? 0) > 0) return undefined;
  const asked = bridge.asksInVain.filter(text => isOf(family, text));
  const ours = asked.find(text => gateways.includes(text) || uplinks.some(({ own }) => own.includes(text)));
  const where = `on ${bridge.name}`;
  if (ours !== undefined) {
    const saw = `the VM looks for its gateway ${ours} ${where}, which is the host, and the host doesn't answer`;
    return { cause: 'gateway', saw, mend: 'nft list ruleset  # a filter of ARP or of neighbour discovery' };
  }
  if (asked.length > 0) {
    const right = `its gateway would be ${gateways.join(' or ')}`;
    const saw = `the VM looks for ${asked.join(', ')} ${where}, perhaps as its gateway, and nobody has that; ${right}`;
    return { cause: 'gateway', saw, mend: toConfigure(word) };
  }
  const guess = 'its own firewall drops it, or it has no default route';
  const saw = `the VM answers for ${address} ${where}, and not to a ping from outside: ${guess}`;
  return { cause: 'guest', saw, mend: `virsh console ${word}  # ip route; nft list ruleset` };
}

/** The DHCP server of each bridge, also where nobody misses it yet. */
export const explainDhcp = ({ drift, bridges }: ReachFacts): Finding[] =>
  bridges.flatMap(bridge =>
    serverDrift(drift, bridge).map(one => ({ ...dhcpFinding(one, bridge), address: null })),
  );

const serverDrift = (drift: readonly Drift[], { name }: BridgeFacts): Drift[] =>
  drift.filter(one => kindOf(one) === 'dhcp' && one.key === `dhcp ${name}`);

function dhcpFinding({ what, why }: Drift, { dhcp }: BridgeFacts): About {
  const { rival } = dhcp;
  const saw = `${what}: ${why}${lastLease(dhcp)}`;
  if (rival === null) return { cause: 'dhcp', saw, mend: 'hnet sync' };
  return {
    cause: 'dhcp',
    saw: `${saw}; ${rival} has port 67`,
    mend: 'hnet sync  # once that program has ended',
  };
}

/** Packets that the uplink doesn't take, and of which the sender may never hear. TCP is held to what it takes. */
export const explainMtu = (facts: ReachFacts): Finding[] =>
  facts.bridges.flatMap(({ name, mtu }) => {
    const devices = facts.addresses.filter(one => one.bridge === name).flatMap(one => one.uplinks);
    return facts.uplinks
      .filter(uplink => devices.includes(uplink.device) && mtu > uplink.mtu)
      .map(uplink => ({
        cause: 'mtu',
        address: null,
        saw: `${uplink.device} takes packets of ${uplink.mtu} bytes, and ${name} of ${mtu}: where the message about it is lost, so is whatever large isn't TCP`,
        mend: `hnet sync  # after mtu = ${uplink.mtu} in /etc/hnet/hnet.toml, or without mtu`,
      }));
  });
