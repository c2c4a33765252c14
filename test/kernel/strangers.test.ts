import { expect } from 'chai';
import { Lab } from '../lab/lab.ts';
import { INTERNET } from '../lab/site.ts';
import { ensureBuilt } from '../support/build.ts';
import { StrangerHost } from '../support/stranger-host.ts';
import { BLOCKLIST, LIBVIRT, STRANGERS } from '../support/strangers.ts';

const BACKENDS = [
  ['nftables', 'nft'],
  ['iptables', 'nft'],
  ['iptables', 'legacy'],
] as const;

/** Rules of ours are known by their mark, in whichever tool's words. */
const withoutOurs = (text: string): string =>
  text
    .split('\n')
    .filter(line => !line.includes('hnet'))
    .join('\n');

describe("other people's filters", () => {
  let lab: Lab;
  let one: StrangerHost;
  before(async () => {
    await ensureBuilt();
    lab = await Lab.create();
  });
  after(() => lab.remove());
  afterEach(() => one.host.remove());

  for (const [backend, kind] of BACKENDS) {
    describe(`beside ${backend} (${kind})`, () => {
      for (const [what, { script, show }] of Object.entries(STRANGERS)) {
        it(`let domains through: ${what}`, async () => {
          one = await StrangerHost.create(lab, backend, kind);
          await one.host.sh(script);
          const untouched = await one.host.sh(show);
          await works(one);
          expect(withoutOurs(await one.host.sh(show))).to.equal(untouched);
          await one.hook('release', 'vm1');
          await one.hook('release', 'vm2');
          await one.base('down');
          expect(await one.host.sh(show)).to.equal(untouched);
        });
      }

      it("are left alone where nothing of theirs is in the way: libvirt's networks, and a table that sleeps", async () => {
        one = await StrangerHost.create(lab, backend, kind);
        await one.host.sh(LIBVIRT.script);
        const untouched = await one.host.sh(LIBVIRT.show);
        await works(one);
        expect(await one.host.sh(LIBVIRT.show)).to.equal(untouched);
      });

      it('keep their say about particular packets: a block list holds for domains too', async () => {
        one = await StrangerHost.create(lab, backend, kind);
        await one.host.sh(BLOCKLIST.script);
        const guest = await one.start('vm1');
        await guest.static('123.45.90.116', one.host.address);
        expect(await lab.gateway.ping('123.45.90.116'), 'from the gateway').to.equal(true);
        expect(await lab.internet.ping('123.45.90.116'), 'from a banned address').to.equal(false);
      });
    });
  }

  for (const backend of ['nftables', 'iptables'])
    it(`that came after us are noticed at the next start, where that costs no process (${backend})`, async () => {
      one = await StrangerHost.create(lab, backend);
      const guest = await one.start('vm1');
      await guest.static('123.45.90.116', one.host.address);
      await one.host.sh(STRANGERS['iptables-nft with a FORWARD policy of DROP']?.script ?? 'exit 1');
      expect(await lab.internet.ping('123.45.90.116')).to.equal(false);
      await one.hook('prepare', 'vm2');
      expect(await lab.internet.ping('123.45.90.116')).to.equal(true);
    });

  it('that put themselves before our accept find it before them again, and only once', async () => {
    one = await StrangerHost.create(lab, 'nftables');
    await one.host.sh(STRANGERS['a forward policy of drop']?.script ?? 'exit 1');
    await one.base('up');
    await one.host.sh('nft insert rule inet filter forward counter drop');
    await works(one);
    const chain = await one.host.run(['nft', 'list', 'chain', 'inet', 'filter', 'forward']);
    expect(chain.match(/comment "hnet"/g)).to.have.length(2);
    expect(chain.indexOf('oifgroup')).to.be.lessThan(chain.indexOf('drop\n\t}'));
  });

  it('that no longer block lose our accept at the next look', async () => {
    one = await StrangerHost.create(lab, 'nftables');
    await one.host.sh(STRANGERS['a forward policy of drop']?.script ?? 'exit 1');
    await one.base('up');
    expect(await one.host.run(['nft', 'list', 'ruleset'])).to.contain('comment "hnet"');
    await one.host.sh('nft add chain inet filter forward "{ policy accept; }"');
    await one.base('up');
    expect(await one.host.run(['nft', 'list', 'ruleset'])).not.to.contain('comment "hnet"');
  });

  it('lose our accept with the base even where our own table is gone already', async () => {
    one = await StrangerHost.create(lab, 'nftables');
    await one.host.sh(STRANGERS['a forward policy of drop']?.script ?? 'exit 1');
    await one.base('up');
    await one.host.run(['nft', 'delete', 'table', 'ip', 'hnet']);
    await one.base('down');
    expect(await one.host.run(['nft', 'list', 'ruleset'])).not.to.contain('hnet');
  });

  it("stay readable to iptables where the table is iptables'", async () => {
    one = await StrangerHost.create(lab, 'nftables');
    const stranger = STRANGERS['iptables-nft with a FORWARD policy of DROP'];
    await one.host.sh(stranger?.script ?? 'exit 1');
    await one.base('up');
    const saved = await one.host.run(['iptables-nft-save', '-t', 'filter']);
    expect(saved.match(/--comment hnet -j ACCEPT$/gm)).to.have.length(2);
    expect(saved).not.to.contain('incompatible');
  });

  it('are not brought into being by looking for them', async () => {
    one = await StrangerHost.create(lab, 'nftables');
    await one.base('up');
    expect((await one.host.read('/proc/net/ip_tables_names')).trim()).to.equal('');
    const tables = await one.host.run(['nft', 'list', 'tables']);
    expect(tables.split('\n').sort()).to.deep.equal(['table arp hnet', 'table inet hnet', 'table ip hnet']);
  });
});

/** A static address both ways, and a bootstrap lease with which a machine gets on line. */
async function works(one: StrangerHost): Promise<void> {
  const fixed = await one.start('vm1');
  await fixed.static('123.45.90.116', one.host.address);
  expect(await one.lab.internet.ping('123.45.90.116'), 'inwards').to.equal(true);
  expect(await fixed.ping(INTERNET), 'outwards').to.equal(true);
  const client = await one.start('vm2');
  expect((await client.dhcp()).router, 'DHCP').to.equal('172.30.117.1');
  expect(await client.ping(INTERNET), 'outwards with the lease').to.equal(true);
  expect(await client.ping('123.45.90.116'), 'to another domain').to.equal(true);
}
