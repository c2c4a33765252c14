import type { Hypervisor } from '../lab/hypervisor.ts';

type Told = Readonly<Record<string, unknown>>;

/** How many rounds of counters are told, one each half second; then it begins again. */
const ROUNDS = 10;
const HNET = '/usr/bin/hnet';

/**
 * Puts a program in the place of hnet whose `monitor` tells of many domains: what the real one has just told of one, again
 * and again with other names and numbers. All other commands are the real one's.
 */
export async function feedCrowd(hv: Hypervisor, size: number): Promise<void> {
  const printed = await hv.sh(`hnet monitor --every 1 --json >/root/told & told=$!
    until grep -q '"type":"counters".*"uuid"' /root/told; do sleep 0.2; done
    kill $told; cat /root/told`);
  const lines = printed.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Told]));
  const state = lines.find(({ type }) => type === 'state');
  const counters = lines.findLast(({ type }) => type === 'counters');
  if (state === undefined || counters === undefined) throw new Error(`Cannot make a crowd of ${printed}`);
  await hv.write('/root/monitor/state', `${JSON.stringify(many(state, size))}\n`);
  for (let round = 0; round < ROUNDS; round++)
    await hv.write(`/root/monitor/counters-${round}`, `${JSON.stringify(many(counters, size, round))}\n`);
  await hv.sh(`mv ${HNET} ${HNET}.real; cat >${HNET} <<'END'\n${PROGRAM}END\nchmod 755 ${HNET}`);
}

const PROGRAM = String.raw`#!/bin/sh
case $1 in monitor) ;; *) exec ${HNET}.real "$@" ;; esac
cd /root/monitor
# Rates go by the time that each line tells.
tell() { sed "s/\"at\":\"[^\"]*/\"at\":\"$(date -u +%FT%T.%3NZ)/" "$1"; }
tell state
while :; do
  for one in counters-*; do
    tell "$one"
    sleep 0.5
  done
done
`;

/** The line with each list of something that a domain has for so many domains. */
function many(line: Told, size: number, round = 0): Told {
  const one = (value: unknown): unknown => {
    if (!Array.isArray(value) || value.length !== 1 || !JSON.stringify(value).includes('"uuid"'))
      return value;
    return Array.from({ length: size }, (_, number) => personal(value[0], number, round * (number % 7)));
  };
  return Object.fromEntries(Object.entries(line).map(([key, value]) => [key, one(value)]));
}

/** The same as another domain has it: with that one's names, and as busy as that one. */
function personal(value: unknown, number: number, times: number): unknown {
  const own: Told = {
    domain: `vm${number}`,
    uuid: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    address: `10.9.${number >> 8}.${number & 255}`,
  };
  const text = JSON.stringify(value, (key, one: unknown) => {
    if (key === 'bytes' && typeof one === 'number') return one + 100_000 * times;
    if (key === 'packets' && typeof one === 'number') return one + 100 * times;
    return typeof one === 'string' ? (own[key] ?? one) : one;
  });
  return JSON.parse(text);
}
