import { expect } from 'chai';
import { format } from '../../src/model/address.ts';
import type { Config } from '../../src/model/config.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import type { Machine } from '../lab/machine.ts';
import { INTERNET, INTERNET6, isIpv6 } from '../lab/site.ts';
import { exchange, Listener } from '../support/endpoint.ts';
import { CHAPTERS, type Chapter, GUIDE, HNET_TOML, INTERFACES, type Shown } from '../support/guide.ts';
import { PROVIDERS } from '../support/providers.ts';
import { boot, configure, furnish, type, type Vm } from '../support/rented.ts';
import type { Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';
import { fetchTools } from '../tools/toolbox.ts';

/** Each with nftables; those in which most comes together also as they are, for which hnet takes iptables here. */
const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  'A subnet on a VLAN': ['auto', 'nftables'],
  Colocation: ['auto', 'nftables'],
};

const tidy = (shown: readonly Shown[]): string =>
  shown
    .flatMap(({ command, output }) => [`# ${command}`, ...output.split('\n')])
    .map(line => line.trimEnd())
    .filter(line => line !== '')
    .join('\n');

/** What the commands print that the chapter shows. */
async function printed({ host }: Scene, seen: readonly Shown[]): Promise<Shown[]> {
  const all: Shown[] = [];
  for (const { command } of seen) {
    const { stdout } = await host.attempt(['sh', '-c', `exec 2>&1\n${command}`]);
    all.push({ command, output: stdout });
  }
  return all;
}

type Way = readonly [what: string, from: Machine, to: string, source?: string];

/** Every way that has to work: each VM reaches the Internet and the others, and is reached from where it is seen. */
function waysOf(vms: readonly Vm[], seenFrom: Readonly<Record<string, Machine>>): Way[] {
  const all = vms.flatMap(({ addresses, guest }) => addresses.map(address => ({ address, guest })));
  return all.flatMap(({ address, guest }): Way[] => [
    [`${address} to the Internet`, guest, isIpv6(address) ? INTERNET6 : INTERNET, address],
    ...Object.entries(seenFrom).map(([name, from]): Way => [`${name} to ${address}`, from, address]),
    ...all
      .filter(other => other.guest !== guest && isIpv6(other.address) === isIpv6(address))
      .map((other): Way => [`${address} to ${other.address}`, guest, other.address, address]),
  ]);
}

async function lost(ways: readonly Way[]): Promise<string[]> {
  const answers = await Promise.all(ways.map(([, from, to, source]) => from.ping(to, source)));
  return ways.filter((_, place) => !answers[place]).map(([what]) => what);
}

/** What `hnet init` writes, which knows the pools alone, is what the chapter says; a VLAN's gateway it asks for. */
async function expectFound(one: Scene, { files }: Chapter): Promise<void> {
  const said = parseConfig(files.get(HNET_TOML) ?? '');
  await one.host.run(['rm', '-f', HNET_TOML]);
  await one.host.run(['hnet', 'init', '--yes', ...said.pools.flatMap(pool => ['--pool', format(pool)])]);
  const found = parseConfig(await one.host.read(HNET_TOML));
  await one.baseDown();
  const essence = ({ uplinks }: Config) =>
    uplinks.map(({ devices, pools, delivery }) => ({
      devices,
      pools: pools.map(pool => `${format(pool)} ${delivery[pool.family]}`),
    }));
  expect(essence(found)).to.deep.equal(essence(said));
}

const linesOf = (text: string): string[] => text.split('\n').filter(line => line.trim() !== '');

/** What hnet prints for the main uplink begins the chapter's file; name servers are each host's own. */
async function expectOwnFile({ host }: Scene, { files }: Chapter): Promise<void> {
  const [main] = parseConfig(files.get(HNET_TOML) ?? '').uplinks;
  const { code, stdout, stderr } = await host.attempt(['hnet', 'host', '--format', 'ifupdown']);
  if (main.devices.length > 1) {
    expect({ code, stderr }).to.deep.include({ code: 1 });
    expect(stderr).to.match(/^hnet: Cannot print the uplink: eth0 and eth1 share the default route/);
    return;
  }
  const printedLines = linesOf(stdout).filter(line => !/^ +dns-/.test(line));
  expect(linesOf(files.get(INTERFACES) ?? '').slice(0, printedLines.length)).to.deep.equal(printedLines);
}

for (const chapter of CHAPTERS)
  for (const backend of BACKENDS[chapter.title] ?? ['nftables'])
    kernelSuite(`docs/providers.md: ${chapter.title} (${backend})`, newScene => {
      before(fetchTools);

      it('serves VMs, and shows what it says', async () => {
        const provider = PROVIDERS[chapter.title];
        if (provider === undefined) throw new Error('nobody provides this kind');
        const one = await newScene(provider.site);
        const { internet } = one.lab;
        const others = (await provider.lay?.(one)) ?? [];
        const libvirt = await furnish(one, provider);
        await boot(one, chapter);
        if (provider.isUntold !== true) await expectFound(one, chapter);
        await configure(one, chapter, backend);
        const vms = await type(one, libvirt, chapter.commands);
        const { forward, beyond, vary } = provider;
        const seenFrom = {
          ...(forward === undefined && { 'the Internet': internet }),
          ...Object.fromEntries(others.map(other => [other.name, other])),
        };
        const ways = [
          ...waysOf(vms, seenFrom),
          ...vms.flatMap(({ name, guest }): Way[] =>
            beyond === undefined ? [] : [[`${name} to ${beyond}`, guest, beyond]],
          ),
        ];
        expect(await lost(ways)).to.deep.equal([]);
        const target = vms.find(({ addresses }) => addresses.includes(forward?.to ?? ''));
        if (forward !== undefined && target !== undefined) {
          const server = new Listener(target.guest, { ip: forward.to, port: 80 });
          await exchange(await server.connect(internet, undefined, { ip: forward.from, port: 80 }));
          server.close();
        }
        expect(tidy(await printed(one, chapter.seen))).to.equal(tidy(chapter.seen));
        await expectOwnFile(one, chapter);
        if (vary === undefined) return;
        await vary(one);
        expect(await lost(ways)).to.deep.equal([]);
        expect(tidy(await printed(one, chapter.seen))).to.equal(tidy(chapter.seen));
      });
    });

kernelSuite('docs/providers.md: not sure which kind', newScene => {
  before(fetchTools);

  it('doctor says that the addresses are on the wire, in the words of the page', async () => {
    const [provider, chapter] = [
      PROVIDERS['Addresses on the wire'],
      CHAPTERS.find(({ title }) => title === 'Addresses on the wire'),
    ];
    if (provider === undefined || chapter === undefined) throw new Error('no such kind');
    const one = await newScene(provider.site);
    await furnish(one, provider);
    const routed = (chapter.files.get(HNET_TOML) ?? '').replaceAll(/^ipv[46] = .*\n/gm, '');
    await boot(one, chapter);
    await one.host.write(HNET_TOML, routed);
    await one.host.run(['hnet', 'sync']);
    const [, said = ''] = /^```text\n([\s\S]*?)^```/m.exec(GUIDE) ?? [];
    expect(said).to.contain('on the wire');
    expect((await one.host.attempt(['hnet', 'doctor'])).stdout).to.contain(said.trim());
  });
});
