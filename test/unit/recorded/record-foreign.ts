/**
 * Records what `nft` and `iptables-save` of a release print of other people's rules: those of odd-nft.txt, odd-iptables.txt
 * and strangers.data.json, which Debian 12 has printed. By hand, as root: `HNET_RELEASE=13 npx tsx
 * test/unit/recorded/record-foreign.ts`. Rules that a release refuses are left out, and named.
 */
import { writeFileSync } from 'node:fs';
import { Lab } from '../../lab/lab.ts';
import { type Foreign, listings, ODD_NFT, SAVED_SETS, savedTables } from './foreign.ts';

const lab = await Lab.create();
const hv = await lab.hypervisor('h1', {});

/** In a network of its own, in which nothing is left over. */
async function inside(title: string, script: string): Promise<string | undefined> {
  await hv.write(
    '/root/rules.sh',
    `set -e\nip link add eth0 type bridge; ip link add br112 type bridge\n${script}\n`,
  );
  const { code, stdout, stderr } = await hv.attempt(['unshare', '-n', 'sh', '/root/rules.sh']);
  if (code === 0) return stdout.trim();
  console.error(`${title}: ${stderr.trim().split('\n')[0]}`);
  return undefined;
}
const recorded: Foreign = { odd: {}, listings: {}, saved: {} };
const keep = (into: Record<string, string>, title: string, text: string | undefined): void => {
  if (text !== undefined) into[title] = text;
};

const LIST = 'nft -j -t list ruleset';
for (const [title, { ruleset }] of ODD_NFT)
  keep(recorded.odd, title, await inside(title, `nft -f - <<'END'\n${ruleset}\nEND\n${LIST}`));
for (const [title, json] of listings())
  keep(recorded.listings, title, await inside(title, `nft -j -f - <<'END'\n${json}\nEND\n${LIST}`));
for (const [title, { text, family }] of savedTables())
  for (const kind of ['nft', 'legacy']) {
    const tool = `${family === 4 ? 'iptables' : 'ip6tables'}-${kind}`;
    const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
    // A rule that this release's kernel or tool doesn't take is left out, and no other with it.
    const [head, rules] = [
      lines.filter(line => /^[*:]/.test(line)),
      lines.filter(line => line.startsWith('-A')),
    ];
    const each = rules.map(
      rule =>
        `printf '%s\\n' '*filter' '${rule.replaceAll("'", `'\\''`)}' COMMIT | ${tool}-restore --noflush 2>>/root/refused || printf '%s\\n' '${rule.replaceAll("'", `'\\''`)}' >>/root/refused`,
    );
    const script = [
      ': >/root/refused',
      SAVED_SETS,
      `${tool}-restore <<'END'\n${head.join('\n')}\nCOMMIT\nEND`,
      ...each,
      `${tool}-save -t filter`,
    ];
    keep(recorded.saved, `${title}, ${kind}`, await inside(`${title}, ${kind}`, script.join('\n')));
    console.error(await hv.read('/root/refused'));
  }
const [major] = (await hv.read('/etc/debian_version')).split(/[./]/);
lab.remove();
const name = /^\d+$/.test(major ?? '') ? major : process.env['HNET_RELEASE'];
writeFileSync(new URL(`foreign-${name}.json`, import.meta.url), `${JSON.stringify(recorded, null, 1)}\n`);
