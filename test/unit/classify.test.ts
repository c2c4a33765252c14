import { expect } from 'chai';
import { parsePrefix } from '../../src/model/address.ts';
import type { Attachment } from '../../src/model/attachment.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { OPEN } from '../../src/model/policy.ts';
import { classify } from '../../src/repair/classify.ts';
import type { Sighting } from '../../src/repair/outcome.ts';
import { domainXml } from '../support/domain.ts';

const RUNNING = parseDomain(domainXml('vm1', { addresses: ['123.45.90.116'] }));
const MOVED = parseDomain(domainXml('vm1', { addresses: ['123.45.90.117'] }));
const WITHOUT = parseDomain(domainXml('vm1', {}));
const MALFORMED = parseDomain(domainXml('vm1', { metadata: '<hnet:assignment xmlns:hnet="urn:hnet:1"/>' }));

const RECORD: Attachment = {
  domain: RUNNING.uuid,
  name: 'vm1',
  addresses: [
    { prefix: parsePrefix('123.45.90.116'), bridge: 'br116', scope: parsePrefix('172.30.116.0/24') },
  ],
  policy: OPEN,
  backend: 'iptables',
};
const DAMAGED = 'Cannot read it: cut off';

/** A domain that libvirt lists, as a survey sees it on a quiet host. */
const sighting = (some: Partial<Sighting>): Sighting => ({
  uuid: RUNNING.uuid,
  record: undefined,
  isNewer: false,
  hadRecord: some.record !== undefined,
  isUnchanged: true,
  isListed: true,
  domain: undefined,
  isMoving: false,
  ...some,
});

const classed = (some: Partial<Sighting>) => classify(sighting(some), () => undefined);

const CASES: Readonly<Record<string, readonly [Partial<Sighting>, string]>> = {
  'runs with what its record says': [{ record: RECORD, domain: RUNNING }, 'kept'],
  'has a record, and libvirt is silent': [{ record: RECORD, isListed: false }, 'kept'],
  'has a record that is newer than the list: it is starting': [
    { record: RECORD, isUnchanged: false },
    'kept',
  ],
  'runs with another assignment than its record': [{ record: RECORD, domain: MOVED }, 'changed'],
  'runs, and its assignment is gone': [{ record: RECORD, domain: WITHOUT }, 'changed'],
  'runs without a record': [{ domain: RUNNING }, 'lost'],
  "runs with a record that can't be read": [{ record: DAMAGED, domain: RUNNING }, 'lost'],
  'has a record and does not run': [{ record: RECORD }, 'ended'],
  "has a record that can't be read and does not run": [{ record: DAMAGED }, 'damaged'],
  "has a record that can't be read, and libvirt is silent": [{ record: DAMAGED, isListed: false }, 'unclear'],
  "has a record and metadata that can't be used": [{ record: RECORD, domain: MALFORMED }, 'unclear'],
  "has a record that can't be read, and no assignment": [{ record: DAMAGED, domain: WITHOUT }, 'unclear'],
  'runs with the record of a newer hnet': [{ record: DAMAGED, isNewer: true, domain: RUNNING }, 'unclear'],
  'has the record of a newer hnet, and does not run': [{ record: DAMAGED, isNewer: true }, 'unclear'],
  'stopped after libvirt was asked': [{ domain: RUNNING, hadRecord: true }, 'none of ours'],
  'runs, with neither record nor assignment': [{ domain: WITHOUT }, 'none of ours'],
  "runs, with metadata that can't be used and no record": [{ domain: MALFORMED }, 'unclear'],
  "stopped after libvirt was asked, with metadata that can't be used": [
    { domain: MALFORMED, hadRecord: true },
    'none of ours',
  ],
};

describe('a domain that', () => {
  for (const [what, [some, outcome]] of Object.entries(CASES))
    it(`${what} is ${outcome}`, () => expect(classed(some).is).to.equal(outcome));

  it('has lost its record is here, unless it stands still between two hosts', () => {
    expect(classed({ domain: RUNNING })).to.include({ is: 'lost', state: undefined });
    for (const record of [undefined, DAMAGED])
      expect(
        classed({ domain: RUNNING, record, isMoving: true, hadRecord: record !== undefined }),
      ).to.include({
        is: 'lost',
        state: 'incoming',
      });
  });

  it('keeps what is set up for it while only the operator can mend its metadata', () => {
    const outcome = classed({ record: RECORD, domain: MALFORMED });
    expect(outcome).to.include({ is: 'unclear', name: 'vm1', attachment: RECORD });
  });

  it('has changed says to what', () => {
    expect(classed({ record: RECORD, domain: WITHOUT })).to.include({ assignment: undefined });
    const outcome = classed({ record: RECORD, domain: MOVED });
    expect(outcome.is === 'changed' && outcome.assignment?.addresses[0]?.bridge).to.equal('br117');
  });
});
