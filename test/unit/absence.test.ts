import { expect } from 'chai';
import { meansAbsence } from '../../src/host/absence.ts';

type Case = readonly [tool: Parameters<typeof meansAbsence>[0], words: string, status?: number];

/** What tools of several versions print where the thing isn't there. */
const ABSENT: readonly Case[] = [
  ['ip', 'Cannot find device "br116"\nCommand failed -:1\n'],
  [
    'ip',
    'RTNETLINK answers: No such process\nCommand failed -:1\nCannot find device "x"\nCommand failed -:2\n',
  ],
  ['ip', 'RTNETLINK answers: No such device\nCommand failed -:3\n'],
  ['ip', 'RTNETLINK answers: No such file or directory\nCommand failed -:1\n'],
  // Older kernels.
  ['ip', 'RTNETLINK answers: Cannot assign requested address\nCommand failed -:1\n'],
  ['ip', 'Error: ipv4: Address not found.\nCommand failed -:1\n'],
  ['ip', 'Error: ipv6: address not found.\nCommand failed -:1\n'],
  ['ipset', 'ipset v7.17: Error in line 1: The set with the given name does not exist\n'],
  ['ipset', "ipset v7.10: Element cannot be deleted from the set: it's not added\n"],
  [
    'nft',
    '/dev/stdin:1:17-20: Error: Could not process rule: No such file or directory\ndelete table ip nope\n                ^^^^\n',
  ],
  [
    'nft',
    '/dev/stdin:1:21-24: Error: No such file or directory\ndelete element ip t nope { 1.2.3.4 }\n                    ^^^^\n',
  ],
  [
    'nft',
    '/dev/stdin:1:19-22: Error: No such file or directory; did you mean chain ‘a’ in table ip ‘t’?\ndelete chain ip t b\n                  ^\n',
  ],
  [
    'nft',
    '/dev/stdin:1:25-31: Error: element does not exist\ndelete element ip t s { 1.2.3.4 }\n                        ^^^^^^^\n',
  ],
  ['conntrack', 'conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.\n'],
];

const FAILED: readonly Case[] = [
  ['ip', ''],
  ['ip', 'Command failed -:1\n'],
  ['ip', 'Cannot find device "br116"\n', 255],
  ['ip', 'RTNETLINK answers: Operation not permitted\nCommand failed -:1\n'],
  [
    'ip',
    'Cannot find device "x"\nCommand failed -:1\nObject "lnik" is unknown, try "ip help".\nCommand failed -:2\n',
  ],
  ['ipset', 'ipset v7.17: Set cannot be destroyed: it is in use by a kernel component\n'],
  ['ipset', 'ipset v7.17: Kernel error received: Operation not permitted\n'],
  [
    'nft',
    '/dev/stdin:1:17-20: Error: Could not process rule: Device or resource busy\ndelete chain ip t c\n                  ^\n',
  ],
  ['nft', 'netlink: Error: cache initialization failed: Operation not permitted\n'],
  ['conntrack', 'conntrack v1.4.7 (conntrack-tools): Operation failed: such conntrack does not exist\n'],
];

describe('what a tool says of what is absent', () => {
  for (const [absent, cases] of [
    [true, ABSENT],
    [false, FAILED],
  ] as const)
    for (const [tool, stderr, status = 1] of cases)
      it(`${tool}: ${JSON.stringify(stderr.split('\n')[0])} is ${absent ? 'absence' : 'a failure'}`, () => {
        expect(meansAbsence(tool, { status, stderr })).to.equal(absent);
        expect(meansAbsence(tool, { status: null, stderr })).to.equal(false);
      });

  it('is none of what was to be put', () => {
    const [put, dropped] = ['route replace 1.2.3.4 dev br1 metric 50', 'route delete 1.2.3.4 dev br1'];
    const said = (number: number) => `Cannot find device "br1"\nCommand failed -:${number}\n`;
    const isForgiven = (stderr: string, ...lines: readonly string[]): boolean =>
      meansAbsence('ip', { status: 1, stderr }, lines);
    expect(isForgiven(said(2), put, dropped)).to.equal(true);
    expect(isForgiven(said(1) + said(2), put, dropped)).to.equal(false);
    expect(isForgiven('Cannot find device "br1"\n', put)).to.equal(false);
    expect(isForgiven(said(1), 'neigh add proxy 1.2.3.4 dev br1')).to.equal(false);
    expect(isForgiven(said(1), 'link set dev tap nomaster')).to.equal(true);
  });
});
