/** What happens to packets between the provider and the bridge; pure. */
import { CAUSES } from '../../firewall/rules/rules.ts';
import { CONFIG_FILE } from '../../model/names.ts';
import { type AddressFacts, devicesIn, type Finding, isOf, type ReachFacts, uplinksOf } from './facts.ts';

export const explainKernel = ({ addresses }: ReachFacts): Finding[] =>
  addresses.flatMap(({ address, kernel }) =>
    kernel.map(({ why, mend }) => ({ cause: 'kernel', address, saw: why, mend })),
  );

/** Whether the host itself has a neighbour outside. */
const explainUplink = ({ addresses, uplinks }: ReachFacts): Finding[] =>
  uplinks.flatMap(({ device, silent }) =>
    silent
      .filter(gateway => addresses.some(one => isOf(one.family, gateway) && one.uplinks.includes(device)))
      .map(gateway => {
        const saw = `the gateway ${gateway} doesn't answer on the wire of ${device}: the host itself is cut off`;
        return { cause: 'uplink', address: null, saw, mend: `ip -s link show dev ${device}` };
      }),
  );

/** Whether the provider delivers it to this host. */
export const explainArrival = (facts: ReachFacts): Finding[] => [
  ...explainUplink(facts),
  ...explainDelivery(facts),
];

const explainDelivery = (facts: ReachFacts): Finding[] =>
  facts.addresses.flatMap(one => {
    const { address, family, heard, counted } = one;
    if (heard === null || heard.arrives === 'yes' || (counted?.in ?? 0) > 0) return [];
    const uplinks = uplinksOf(one, facts);
    const devices = devicesIn(uplinks);
    const host = uplinks.flatMap(({ own }) => own).find(own => isOf(family, own)) ?? devices;
    const routed = `have the provider route ${address} to ${host}, without a MAC address of its own`;
    if (heard.soughtInVain) {
      const saw = `the gateway looks for it on the wire of ${devices}, and nobody answers: it isn't routed to this host`;
      const mend = `set ipv${family} = "on-link" beside its pool in ${CONFIG_FILE}, then: hnet sync`;
      return [{ cause: 'on-link', address, saw, mend }];
    }
    if (heard.arrives === 'unknown') return [];
    const saw = `answers from outside to the host itself come in by ${devices}, and answers to this address don't`;
    return [{ cause: 'not routed', address, saw, mend: routed }];
  });

/** Shows everybody's filters. */
const LIST = 'nft list ruleset; iptables-save; ip6tables-save';

/** Whose filter drops what comes for it, or what it sends. */
export function explainFilter(facts: ReachFacts): Finding[] {
  const { blockades, drift } = facts;
  const lacksPassage = drift.some(({ key }) => key.startsWith('passage'));
  const foreign = blockades.map(blockade => ({
    cause: 'foreign filter',
    address: null,
    saw: `${blockade}; that is another program's`,
    mend: lacksPassage ? 'hnet sync' : LIST,
  }));
  return [...foreign, ...explainRules(facts), ...facts.addresses.flatMap(one => explainLoss(one, facts))];
}

/** What the operator told hnet to drop. */
function explainRules({ rules, word }: ReachFacts): Finding[] {
  const { inbound, isolate, shared } = rules;
  const isClosed = inbound === 'deny' && !rules.rules.some(rule => rule.startsWith('allow'));
  const dropped = shared[CAUSES.isolated] ?? 0;
  return [
    ...(isClosed
      ? [
          {
            cause: 'rules',
            address: null,
            saw: `its rules deny all that comes in; ${rules.dropped} packets were dropped meanwhile`,
            mend: `hnet firewall ${word} allow tcp/22  # or: hnet firewall ${word} default allow`,
          },
        ]
      : []),
    ...(isolate && dropped > 0
      ? [
          {
            cause: 'isolated',
            address: null,
            saw: `it is isolated from the other domains of this host; ${dropped} packets were dropped for that meanwhile`,
            mend: `hnet firewall ${word} isolate off`,
          },
        ]
      : []),
  ];
}

/** Causes of drops that concern forwarded packets. */
const FORWARDED: readonly string[] = [
  CAUSES.borrowed,
  CAUSES.unassigned,
  CAUSES.elsewhere,
  CAUSES.spoofed,
  CAUSES.midstream,
];

/** A packet was seen to go in, and wasn't seen to come out. */
function explainLoss(one: AddressFacts, facts: ReachFacts): Finding[] {
  const { address, bridge, heard } = one;
  const {
    word,
    rules: { inbound, rules, shared },
  } = facts;
  // A domain with rules may not let in what we asked for; nor does its answer belong to a flow that is known.
  if (heard === null || inbound === 'deny' || rules.length > 0) return [];
  const [enter, leave] = [devicesIn(uplinksOf(one, facts)), bridge];
  const isLostIn = heard.passes === 'no';
  const isLostOut = heard.leaves === 'no';
  if (!isLostIn && !isLostOut) return [];
  const way = isLostIn
    ? `what comes for it by ${enter} doesn't leave by ${leave}`
    : `what it sends by ${leave} doesn't leave by ${enter}`;
  const counted = Object.entries(shared)
    .filter(([cause]) => FORWARDED.includes(cause))
    .map(([cause, packets]) => `${cause}: ${packets}`);
  const who =
    counted.length > 0
      ? `hnet dropped meanwhile (${counted.join(', ')})`
      : "none of hnet's rules counted it, so another program's filter drops it";
  return [
    {
      cause: counted.length > 0 ? 'filter' : 'foreign filter',
      address,
      saw: `${way}; ${who}`,
      mend: counted.length > 0 ? `hnet check ${word}` : LIST,
    },
  ];
}

/** What shows who takes so much. */
const WATCH: Readonly<Record<string, string>> = {
  [CAUSES.asking]: 'udp portrange 67-68 or udp portrange 546-547',
  [CAUSES.solicitation]: 'icmp6',
  [CAUSES.senders]: 'arp',
};

/** A domain beyond a limit also fills what is heard of it, so this comes before what was heard. */
export const explainLimits = ({ bridges, rules }: ReachFacts): Finding[] =>
  bridges.flatMap(({ name, exceeds }) =>
    exceeds.map(cause => ({
      cause: 'limit',
      address: null,
      saw: `hnet drops packets of ${name}: ${cause}; ${rules.shared[cause] ?? 0} were dropped for that meanwhile`,
      mend: `tcpdump -c 50 -nei ${name} ${WATCH[cause] ?? 'not arp'}  # what is it that it sends or gets so much of?`,
    })),
  );
