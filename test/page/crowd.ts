import type { Hypervisor } from '../lab/hypervisor.ts';

/** What of the lines of `hnet monitor` is made many here. */
interface Told {
  readonly type: string;
  readonly domains?: readonly { readonly domain: string; readonly addresses: readonly object[] }[];
  readonly addresses?: readonly object[];
}

/** How many rounds of counters are told, one each half second; then it begins again. */
const ROUNDS = 10;
const HNET = '/usr/bin/hnet';

/**
 * Puts a program in the place of hnet whose `monitor` tells of many domains: what the real one has just told of one, again
 * and again with other names and numbers. All other commands are the real one's.
 */
export async function feedCrowd(hv: Hypervisor, size: number): Promise<void> {
  const printed = await hv.sh('timeout 8 hnet monitor --every 1 --json || true');
  const lines = printed.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Told]));
  const state = lines.find(({ type }) => type === 'state');
  const counters = lines.find(({ type, addresses }) => type === 'counters' && addresses?.length === 1);
  const [domain] = state?.domains ?? [];
  const [counted] = counters?.addresses ?? [];
  if (domain === undefined || counted === undefined) throw new Error(`Cannot make a crowd of ${printed}`);
  const numbers = Array.from({ length: size }, (_, number) => number);
  const crowd = { ...state, domains: numbers.map(number => personal(domain, number)) };
  await hv.write('/root/monitor/state', `${JSON.stringify(crowd)}\n`);
  for (let round = 0; round < ROUNDS; round++) {
    const addresses = numbers.map(number => busier(personal(counted, number), round * (number % 7)));
    await hv.write(`/root/monitor/counters-${round}`, `${JSON.stringify({ ...counters, addresses })}\n`);
  }
  await hv.sh(`mv ${HNET} ${HNET}.real; cat >${HNET} <<'END'\n${PROGRAM}END\nchmod 755 ${HNET}`);
}

export async function endCrowd(hv: Hypervisor): Promise<void> {
  await hv.run(['mv', `${HNET}.real`, HNET]);
}

const PROGRAM = `#!/bin/sh
case $1 in monitor) ;; *) exec ${HNET}.real "$@" ;; esac
cd /root/monitor
cat state
while :; do
  for one in counters-*; do
    cat "$one"
    sleep 0.5
  done
done
`;

/** The same as another domain has it: whatever names the domain or its address is that one's own. */
function personal<T extends object>(value: T, number: number): T {
  const address = `10.9.${number >> 8}.${number & 255}`;
  const uuid = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const own: Readonly<Record<string, unknown>> = { domain: `vm${number}`, uuid, address };
  const text = JSON.stringify(value, (key, one: unknown) => (typeof one === 'string' && own[key]) || one);
  return JSON.parse(text) as T;
}

/** @param times how often a kilobyte of ten packets has passed, in either direction */
function busier<T extends object>(counters: T, times: number): T {
  const text = JSON.stringify(counters, (key, one: unknown) => {
    if (typeof one !== 'number') return one;
    return key === 'bytes' ? one + 1000 * times : one + 10 * times;
  });
  return JSON.parse(text) as T;
}
