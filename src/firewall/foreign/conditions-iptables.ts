/** What the options of iptables' matches require of a packet. Whatever isn't known here is particular. */

import { readRange, readSubnet } from '../../model/address.ts';
import { DEVICE_GROUP } from '../../model/names.ts';
import type { PortRange } from '../../model/ports.ts';
import type { Condition } from '../../model/view.ts';
import { isMasked, isMost, isOrdinary } from './words.ts';

const COMMON: Condition = { is: 'common' };
const PARTICULAR: Condition = { is: 'particular' };
const isCommon = (is: boolean): Condition => (is ? COMMON : PARTICULAR);

/** The group of our bridges, and the one that other devices have. */
const GROUPS = [DEVICE_GROUP, 0];

/** `! -s 192.0.2.0/24` is the option `-s` with one value, negated. */
export interface Option {
  readonly name: string;
  readonly negated: boolean;
  readonly values: string[];
}

export function optionCondition({ name, negated, values }: Option): Condition[] {
  const [value = ''] = values;
  if (NEUTRAL.includes(name) || (name === '-m' && MATCHES.includes(value))) return [];
  if (negated) return [SELECTORS.includes(name) ? COMMON : PARTICULAR];
  return [READ[name]?.(value, values) ?? PARTICULAR];
}

/** Matches (`-m`) that require nothing by themselves: their options do. */
const MATCHES =
  'comment conntrack state tcp udp multiport set mark devgroup addrtype iprange mac physdev policy pkttype statistic'.split(
    ' ',
  );

/** Options that say how another one is meant. */
const NEUTRAL = '--comment --dir --mode --limit-iface-in --limit-iface-out --packet'.split(' ');

/**
 * Options that, negated, hold for most packets. What is routed has come by no port of a bridge, so that each negated option
 * about those holds (xt_physdev).
 */
const SELECTORS = (
  '-i -o -s -d -p -f --dport --sport --dports --sports --ports --ctstate --state --match-set --mark ' +
  '--src-group --dst-group --src-type --dst-type --src-range --dst-range --mac-source ' +
  '--physdev-in --physdev-out --physdev-is-in --physdev-is-out --physdev-is-bridged'
).split(' ');

const device = (value: string): Condition => ({ is: 'device', names: [value.replace(/\+$/, '*')] });
const address = (value: string): Condition => ({ is: 'addresses', prefixes: readSubnet(value) });
const range = (value: string): Condition => {
  const [from = '', to = from] = value.split('-');
  return { is: 'addresses', prefixes: readRange(from, to) };
};
const ports = (value: string): Condition => ({ is: 'ports', ranges: value.split(',').map(toRange) });
const states = (value: string): Condition => isCommon(isOrdinary(value.split(',')));

/** A value and its mask, as `0x1/0xff`. */
const masked = (value: string): readonly [number, number] => {
  const [wanted = Number.NaN, mask = 0xffffffff] = value.split('/').map(Number);
  return [wanted, mask];
};
const group = (value: string): Condition => isCommon(isMasked(...masked(value), GROUPS));
/** Ordinary packets carry no mark. */
const mark = (value: string): Condition => isCommon(masked(value)[0] === 0);
const type = (value: string): Condition => isCommon(value.split(',').includes('UNICAST'));

/** What an option requires that isn't negated. */
const READ: Readonly<Record<string, (value: string, values: readonly string[]) => Condition>> = {
  '-i': device,
  '-o': device,
  '-s': address,
  '-d': address,
  '--src-range': range,
  '--dst-range': range,
  '-p': value => ({ is: 'protocol', names: [value] }),
  '--sport': ports,
  '--dport': ports,
  '--sports': ports,
  '--dports': ports,
  '--ports': ports,
  '--ctstate': states,
  '--state': states,
  '--src-group': group,
  '--dst-group': group,
  '--src-type': type,
  '--dst-type': type,
  '--mark': mark,
  '--pol': value => isCommon(value === 'none'),
  '--pkt-type': value => isCommon(value === 'unicast'),
  '--probability': value => isCommon(isMost(Number(value))),
  '--every': value => isCommon(isMost(1 / Number(value))),
  // A segment that opens a connection.
  '--tcp-flags': (_, [mask = '', flags]) =>
    isCommon(flags === 'SYN' && ['SYN', 'ACK'].every(flag => mask.split(',').includes(flag))),
};

/** A port or several (`80:90`), or queues. */
export function toRange(text: string): PortRange {
  const [first = 0, final = first] = text.split(':').map(Number);
  return [first, final];
}
