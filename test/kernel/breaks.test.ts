import { expect } from 'chai';
import fc from 'fast-check';
import type { Shown } from '../../src/cli/views/shapes.ts';
import { type Breakable, HOSTS, lost, type Way } from '../support/breakable.ts';
import { hnet } from '../support/command.ts';
import { type Harm, harms, type Target } from '../support/harm.ts';
import { difference } from '../support/snapshot.ts';
import { kernelSuite } from '../support/suite.ts';
import { closeSockets } from '../support/syscalls.ts';

/**
 * How many times each host is damaged with each backend. The gate takes a sample; before a release, by hand:
 * HNET_DAMAGE=200 ONLY='whatever breaks' test/run kernel. A failure names its seed: HNET_SEED=… repeats it.
 */
const ROUNDS = Number(process.env['HNET_DAMAGE'] ?? 3);
const SEED = Number(process.env['HNET_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

for (const backend of ['iptables', 'nftables'])
  for (const [title, make] of Object.entries(HOSTS))
    kernelSuite(`whatever breaks: ${title} (${backend})`, newScene => {
      after(closeSockets);

      it(`${ROUNDS} times: check and status never say ok of a VM that is cut off, one sync brings all back`, async () => {
        const host = await make(newScene, backend);
        expect(await lost(host)).to.deep.equal([]);
        for (const [round, damage] of fc
          .sample(harms(host.target), { numRuns: ROUNDS, seed: SEED })
          .entries())
          await suffer(host, damage, `HNET_SEED=${SEED}, round ${round}`);
      });
    });

async function suffer(host: Breakable, damage: readonly Harm[], where: string): Promise<void> {
  const { one } = host;
  const done: string[] = [];
  for (const { what, script } of damage) {
    const { code, stdout, stderr } = await one.host.attempt(['sh', '-e'], { input: script });
    if (code !== 0) throw new Error(`Cannot do harm, ${where}: ${what}: ${stderr}\n${script}`);
    done.push(`${what} ${stdout}`.trim());
  }
  const told = `${where}: ${done.join('; ')}`;
  const seen = await hnet(one, 'check');
  if (seen.code === 0) expect(await lost(host), `${told}: check said ok`).to.deep.equal([]);
  else expect(await lost(host, await saidOk(host)), `${told}: status said ok`).to.deep.equal([]);
  for (const { undo } of [...damage].reverse()) if (undo !== undefined) await one.host.sh(`${undo} || true`);
  const before = await foreign(host);
  const { code, stdout, stderr } = await hnet(one, 'sync');
  expect(code, `${told}: sync\n${stdout}\n${stderr}`).to.equal(0);
  expect(difference(before, await foreign(host)).join('\n'), `${told}: what isn't ours`).to.equal('');
  const after = await hnet(one, 'check');
  expect(`${after.stdout}${after.stderr}`, `${told}: after sync`).to.equal('Everything is as it should be');
  expect(await lost(host), `${told}: after sync said\n${stdout}`).to.deep.equal([]);
}

/** The ways of addresses of which status says ok. */
async function saidOk({ one, ways }: Breakable): Promise<readonly Way[]> {
  const { stdout } = await hnet(one, 'status', '--json');
  const { domains }: { domains: readonly Shown[] } = JSON.parse(stdout);
  const shown = domains.flatMap(({ domain, addresses }) => addresses.map(each => ({ domain, ...each })));
  return ways.filter(({ domain, address }) =>
    shown.some(each => each.domain === domain && each.address === address && each.faults.length === 0),
  );
}

async function foreign({ one, target }: Breakable): Promise<string> {
  const isOurs = ours(target);
  const text = await one.host.sh(`ip -o address show virbr9; ip -o address show eth0; ip rule; ip -6 rule
    ip route show table 99; ip route; ip -6 route
    for tool in iptables ip6tables; do $tool-save | sed -e '/^#/d' -e 's/\\[[0-9]*:[0-9]*\\]//'; done
    ipset list theirs | grep -v References; nft -s list table inet operator 2>/dev/null || true`);
  return text
    .replaceAll(' linkdown', '')
    .split('\n')
    .filter(line => !isOurs.test(line))
    .join('\n');
}

/** Lines that are hnet's, the kernel's own on its bridges, or a table of iptables' that says nothing. */
const ours = ({ bridges }: Target): RegExp =>
  new RegExp(
    `proto 104|lookup 2673[45]|hnet|dev (${bridges.join('|')}) proto kernel|^[*]|^:[A-Z]+ ACCEPT|^COMMIT$`,
  );
