import { expect } from 'chai';
import { requireAssignment, toAttachment } from '../../src/lifecycle/admission.ts';
import type { Attachment } from '../../src/model/attachment.ts';
import type { Domain } from '../../src/model/domain.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { lackingNext, portsIn, switchedOff, unplugged } from '../../src/repair/plugs.ts';
import { domainXml } from '../support/domain.ts';
import { link } from './doctor-host.ts';

const PLACES = [
  { ip: '123.45.90.116', bridge: 'br116', scope: '172.30.116.0/24' },
  { ip: '2001:db8:12:48::117', bridge: 'br117', scope: '172.30.117.0/24' },
];
const domain = (bridges: readonly string[], addresses = PLACES): Domain =>
  parseDomain(
    domainXml('vm1', { addresses, taps: bridges.map(bridge => ({ bridge, tap: `tap-${bridge}` })) }),
  );
const LIVE = domain(['br116', 'br117']);
const ATTACHMENT: Attachment = toAttachment(
  LIVE,
  requireAssignment(LIVE, 'test'),
  'iptables',
  () => undefined,
);
const TAPS: [string, undefined][] = [
  ['tap-br116', undefined],
  ['tap-br117', undefined],
];
const links = (...ports: readonly [string, string][]) =>
  portsIn({
    links: new Map([...TAPS, ...ports].map(([name, master]) => [name, link({ master })])),
  });

const whys = (...args: Parameters<typeof unplugged>): string[] => unplugged(...args).map(({ why }) => why);

describe('the interfaces of a running domain', () => {
  it('are on its bridges by what libvirt says, or by what the kernel says', () => {
    expect(whys(ATTACHMENT, LIVE, links())).to.deep.equal([]);
    expect(whys(ATTACHMENT, domain(['br116']), links())).to.deep.equal([
      'none of its interfaces is on br117; hnet assign puts it back',
    ]);
    expect(unplugged(ATTACHMENT, domain([]), links(['macvtap0', 'br116']))).to.have.length(1);
    expect(unplugged(ATTACHMENT, domain([]), links())).to.have.length(2);
  });

  it('are missed where the host has lost its end of one', () => {
    const left = portsIn({ links: new Map([['tap-br116', link({ master: 'br116' })]]) });
    expect(unplugged(ATTACHMENT, LIVE, left)).to.deep.equal([
      {
        tap: 'tap-br117',
        why: 'tap-br117 is gone from the host; stop and start the VM, which makes it anew',
      },
    ]);
  });

  it('are named where libvirt has switched one off', () => {
    const off = parseDomain(
      domainXml('vm1', { addresses: PLACES, taps: [{ bridge: 'br116', tap: 'tap-br116', link: 'down' }] }),
    );
    expect(switchedOff(ATTACHMENT, off)).to.deep.equal([
      "libvirt has switched tap-br116 off; virsh domif-setlink 'vm1' tap-br116 up",
    ]);
    expect(switchedOff(ATTACHMENT, LIVE)).to.deep.equal([]);
  });

  it('and addresses are missed where the next start would be without', () => {
    expect(lackingNext(LIVE, LIVE)).to.deep.equal([]);
    expect(lackingNext(LIVE, domain(['br116']))).to.deep.equal([
      'in its definition no interface is on br117; hnet assign puts it back',
    ]);
    expect(lackingNext(LIVE, domain(['br116', 'br117'], PLACES.slice(0, 1)))).to.deep.equal([
      "its definition doesn't assign 2001:db8:12:48::117 to it; hnet assign puts it back",
    ]);
    expect(lackingNext(LIVE, domain(['virbr0'], []))).to.have.length(4);
    // Whoever plugs by other means than libvirt's bridges does so at the next start too.
    expect(lackingNext(domain([]), domain([]))).to.deep.equal([]);
  });
});
