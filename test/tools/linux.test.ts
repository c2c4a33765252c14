import { expect } from 'chai';
import { cloudInit, cloudInitV1 } from '../../src/guest/cloud-init.ts';
import type { Format } from '../../src/guest/file.ts';
import { GUEST_FORMATS } from '../../src/guest/formats.ts';
import { ifupdown } from '../../src/guest/ifupdown.ts';
import { netplan } from '../../src/guest/netplan.ts';
import { networkd } from '../../src/guest/networkd.ts';
import { networkmanager } from '../../src/guest/networkmanager.ts';
import { seedFiles } from '../../src/guest/seed.ts';
import type { Background } from '../lab/background.ts';
import type { Guest } from '../lab/guest.ts';
import {
  ADDRESSES,
  addressesOf,
  applyNetplan,
  BRIDGES,
  install,
  networkOn,
  startNetworkd,
  startNetworkManager,
  Wire,
} from './wire.ts';

const UUID = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const BOTH = ['br116', 'br118'] as const;
const ONE = ADDRESSES.slice(0, 3);

/** Each format is read by the program that it is for, which then configures a machine that must reach the Internet. */
describe('the configuration for Linux', () => {
  let wire: Wire;
  let machine: Guest;
  let running: Background[] = [];

  before(async () => {
    wire = await Wire.create();
  });
  beforeEach(async () => {
    machine = await wire.machine();
  });
  afterEach(async () => {
    for (const each of running) await each.stop();
    running = [];
  });
  after(() => wire?.lab.remove());

  /** What cloud-init of Debian 12 makes of our network-config for a system's own program. */
  async function convert(
    format: Format,
    bridges: readonly ('br116' | 'br118')[],
    renderer: string,
    family?: 4 | 6,
  ): Promise<void> {
    await machine.write('/run/network-config', format(networkOn(bridges, family))[0]?.text ?? '');
    const macs = bridges.flatMap((bridge, index) => ['-m', `eth${index},${BRIDGES[bridge].mac}`]);
    const files = ['-p', '/run/network-config', '-k', 'yaml', '-d', '/', '-D', 'debian'];
    await machine.run(['cloud-init', 'devel', 'net-convert', ...files, ...macs, '-O', renderer]);
  }

  it('ifup brings up two interfaces, each answering on its own wire, and ifdown takes all away', async () => {
    await install(machine, ifupdown(networkOn(BOTH)));
    await ifup();
    await wire.proves(machine, ADDRESSES);
    await machine.run(['ifdown', '-a', '--exclude=lo']);
    expect(await addressesOf(machine)).to.deep.equal([]);
    expect(await machine.run(['ip', 'rule'])).not.to.contain('from 123.45.90.118');
  });

  it('netplan generates for networkd, which brings up two interfaces', async () => {
    await install(machine, netplan(networkOn(BOTH)));
    running = await applyNetplan(machine);
    await wire.proves(machine, ADDRESSES);
  });

  it('networkd brings up two interfaces', async () => {
    await install(machine, networkd(networkOn(BOTH)));
    running = await startNetworkd(machine);
    await wire.proves(machine, ADDRESSES);
  });

  it('nmcli reads the keyfile, and NetworkManager brings up two interfaces', async () => {
    const files = networkmanager(networkOn(BOTH));
    const offline = ['nmcli', '--offline', 'connection', 'modify', 'connection.autoconnect-retries', '1'];
    const read = await machine.run(offline, { input: files[0]?.text ?? '' });
    expect(read).to.contain('address1=123.45.90.116/32,123.45.12.48');
    await install(machine, files);
    running = await startNetworkManager(machine);
    await wire.proves(machine, ADDRESSES);
  });

  it('cloud-init hands version 2 to netplan, which brings up two interfaces', async () => {
    await convert(cloudInit, BOTH, 'netplan');
    running = await applyNetplan(machine);
    await wire.proves(machine, ADDRESSES);
  });

  it('cloud-init takes the seed: the host name and the network', async () => {
    const seed = seedFiles(networkOn(BOTH), UUID, cloudInit, { sshKeys: ['ssh-ed25519 AAAA me'] });
    for (const { path, text } of seed) await machine.write(`/var/lib/cloud/seed/nocloud/${path}`, text);
    const userData = '/var/lib/cloud/seed/nocloud/user-data';
    expect(await machine.run(['cloud-init', 'schema', '--config-file', userData])).to.contain('Valid');
    await machine.run(['cloud-init', 'init', '--local']);
    expect(await machine.read('/var/lib/cloud/data/instance-id')).to.equal(UUID);
    expect(await machine.read('/etc/hostname')).to.equal('web-1');
    running = await applyNetplan(machine);
    await wire.proves(machine, ADDRESSES);
  });

  it('cloud-init renders version 1 for ifupdown, which brings it up', async () => {
    await convert(cloudInitV1, ['br116'], 'eni');
    await ifup(...CONVERTED);
    await wire.proves(machine, ONE);
  });

  it('cloud-init renders version 1 for NetworkManager, which brings it up', async () => {
    await convert(cloudInitV1, ['br116'], 'network-manager');
    running = await startNetworkManager(machine);
    await wire.proves(machine, ONE);
  });

  const ifup = (...argv: string[]) => machine.run(['ifup', '-a', ...argv]);
  const CONVERTED = ['-i', '/etc/network/interfaces.d/50-cloud-init'];
  const put = (format: Format, family: 4 | 6) => install(machine, format(networkOn(['br116'], family)));

  /** Each format that a program of Debian's reads, and how it is put to work with one family. */
  const WORK: Readonly<Record<string, (family: 4 | 6) => Promise<unknown>>> = {
    ifupdown: async family => {
      await put(ifupdown, family);
      await ifup();
    },
    netplan: async family => {
      await put(netplan, family);
      running = await applyNetplan(machine);
    },
    networkd: async family => {
      await put(networkd, family);
      running = await startNetworkd(machine);
    },
    networkmanager: async family => {
      await put(networkmanager, family);
      running = await startNetworkManager(machine);
    },
    'cloud-init': async family => {
      await convert(cloudInit, ['br116'], 'netplan', family);
      running = await applyNetplan(machine);
    },
    'cloud-init-v1': async family => {
      await convert(cloudInitV1, ['br116'], 'eni', family);
      await ifup(...CONVERTED);
    },
  };

  for (const [format, work] of Object.entries(WORK))
    for (const family of [4, 6] as const)
      it(`${format}: IPv${family} alone comes up`, async () => {
        await work(family);
        await wire.proves(
          machine,
          ONE.filter(address => address.includes(':') === (family === 6)),
          // What cloud-init writes sets the MTU of IPv6 before ifup brings the interface up, which sets it back.
          ...(format === 'cloud-init-v1' && family === 6 ? [1500] : []),
        );
      });

  it('is all of the formats but those whose programs Debian has not', () => {
    const elsewhere = ['freebsd', 'openbsd', 'windows'];
    expect([...Object.keys(WORK), ...elsewhere]).to.have.members(Object.keys(GUEST_FORMATS));
  });
});
