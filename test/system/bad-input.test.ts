import { expect } from 'chai';
import { Stage } from './stage.ts';

const POOLS = '(123.45.90.112/29, 123.45.53.11, 123.45.53.12, 123.45.53.13)';
const FORMATS =
  'ifupdown, netplan, networkd, networkmanager, cloud-init, cloud-init-v1, freebsd, openbsd, windows, all';

/** What is wrong, the words, the exit code and the whole of what is said. */
type Case = readonly [what: string, words: string, code: 1 | 2, message: string];

const CASES: readonly Case[] = [
  [
    'an address twice',
    'assign vm1 123.45.90.117 123.45.90.117',
    2,
    'Cannot assign 123.45.90.117: it overlaps 123.45.90.117, given before',
  ],
  [
    'a subnet and an address of it',
    'assign vm1 123.45.90.112/31 123.45.90.113',
    2,
    'Cannot assign 123.45.90.113: it overlaps 123.45.90.112/31, given before',
  ],
  [
    'a subnet with host bits set',
    'assign vm1 123.45.90.117/30',
    2,
    'Cannot assign: "123.45.90.117/30" has host bits set: the subnet is 123.45.90.116/30',
  ],
  [
    'a /0',
    'assign vm1 0.0.0.0/0',
    1,
    "Cannot assign: 0.0.0.0/0 contains 123.45.12.48, the host's or the gateway's own address",
  ],
  [
    'an address beyond the pools',
    'assign vm1 9.9.9.9',
    1,
    `Cannot assign: 9.9.9.9 is outside the pools ${POOLS}; add its subnet to "pools" in hnet.toml`,
  ],
  [
    'a subnet larger than its pool',
    'assign vm1 123.45.90.112/28',
    1,
    `Cannot assign: 123.45.90.112/28 is outside the pools ${POOLS}; add its subnet to "pools" in hnet.toml`,
  ],
  [
    "an address of another domain's subnet",
    'assign vm1 123.45.90.114',
    1,
    'Cannot assign 123.45.90.114: domain "holder" holds it as part of 123.45.90.112/30; hnet unassign releases it; the nearest free one is 123.45.90.117',
  ],
  [
    "a subnet around another domain's",
    'assign vm1 123.45.90.112/29',
    1,
    'Cannot assign 123.45.90.112/29: domain "holder" holds it as part of 123.45.90.112/30; hnet unassign releases it',
  ],
  [
    'a subnet around its own address',
    'assign vm1 123.45.90.116/31',
    1,
    'Cannot assign 123.45.90.116/31: it overlaps 123.45.90.116, which the domain has',
  ],
  [
    'no address at all',
    'assign vm1 123.45.90.300',
    2,
    'Cannot assign: "123.45.90.300" is not an IP address or subnet such as 123.45.90.116 or 123.45.90.112/29',
  ],
  [
    'an unknown mode of DHCP',
    'assign vm1 --dhcp static',
    2,
    'Cannot use --dhcp "static": it is bootstrap, public, off, or default for what hnet.toml says',
  ],
  [
    'a MAC that is none',
    'assign vm1 --nic eth0',
    2,
    'Cannot use --nic "eth0": it is not a MAC address such as 52:54:00:12:34:56',
  ],
  [
    'an address that it does not hold',
    'unassign vm1 123.45.90.117',
    1,
    'Cannot unassign 123.45.90.117: "vm1" holds 123.45.90.116',
  ],
  [
    'an address that the giver does not hold',
    'move 123.45.90.117 vm1 holder',
    1,
    'Cannot move 123.45.90.117: "vm1" holds 123.45.90.116',
  ],
  [
    'an address out of a subnet',
    'move 123.45.90.113 holder vm1',
    1,
    'Cannot move 123.45.90.113: "holder" holds it as part of 123.45.90.112/30, which moves as a whole',
  ],
  [
    'a move to itself',
    'move 123.45.90.116 vm1 vm1',
    1,
    'Cannot move 123.45.90.116: it would go from "vm1" to itself',
  ],
  [
    'an unknown format',
    'guest vm1 --format debian',
    2,
    `Cannot use --format "debian": the formats are ${FORMATS}`,
  ],
  ['no format', 'guest vm1', 2, `Cannot choose a format: say --format and one of ${FORMATS}`],
  [
    "an unknown format of the host's",
    'host --format openbsd',
    2,
    'Cannot use --format "openbsd": the formats are ifupdown, netplan, networkd, bird, frr',
  ],
  [
    'a seed path that exists',
    'guest vm1 --seed /root/mine.iso',
    1,
    'Cannot write "/root/mine.iso": it exists',
  ],
  [
    'a seed in a format that no cloud-init reads',
    'guest vm1 --seed /root/new.iso --format netplan',
    2,
    'Cannot use --format "netplan" in a seed image: it takes cloud-init or cloud-init-v1',
  ],
  [
    'a domain that is none',
    'assign nobody 123.45.90.117',
    1,
    'Cannot find a domain "nobody"; virsh list --all shows them',
  ],
];

/** Every refusal is one line that says what is wrong and leaves everything as it was. */
describe('bad input', () => {
  const stage = new Stage();

  before(async () => {
    await stage.hv.vm({ name: 'vm1', nics: [], boots: false });
    await stage.hv.vm({ name: 'holder', nics: [], boots: false });
    await stage.ok('assign', 'vm1', '123.45.90.116', '--no-nic');
    await stage.ok('assign', 'holder', '123.45.90.112/30', '--no-nic');
    await stage.hv.virsh('start', 'vm1');
    await stage.hv.write('/root/mine.iso', 'mine');
  });

  /** All that the commands of this file change. */
  const state = async (): Promise<string> =>
    [
      await stage.xml('vm1'),
      await stage.xml('vm1', '--inactive'),
      await stage.xml('holder'),
      await stage.hv.sh(`ip -br link; ip route; ipset save; iptables-save | grep -v '^[#:]'
        cat /run/hnet/attachments/* /run/hnet/dhcp/*.conf /root/mine.iso; ls /run/hnet/claims /root`),
    ]
      .join('\n')
      .replaceAll(/ packets \d+ bytes \d+/g, '');

  for (const [what, words, code, message] of CASES) {
    it(`refuses ${what}: hnet ${words}`, async () => {
      const before = await state();
      const answer = await stage.hnet(...words.split(' '));
      expect(answer).to.deep.equal({ code, stdout: '', stderr: `hnet: ${message}` });
      expect(await state()).to.equal(before);
    });
  }
});
