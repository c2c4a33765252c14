import { expect } from 'chai';
import fc from 'fast-check';
import { hostName, hostNames } from '../../src/model/hostname.ts';
import { UUID } from './guest-fixture.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

describe('host names', () => {
  const cases: readonly [string, string, string?][] = [
    ['vm1', 'vm1'],
    ['Web Server 2', 'web-server-2'],
    ['Büro', 'buro'],
    ['www.example.org', 'www', 'www.example.org'],
    ['WWW..Example.org.', 'www', 'www.example.org'],
    ['ubuntu22.04', 'ubuntu22-04'],
    ['123.45.90.116', '123-45-90-116'],
    ['42', 'vm-42'],
    ['0x7f', 'vm-0x7f'],
    ['42.example.org', 'vm-42', '42.example.org'],
    ['localhost', 'vm-c64804ab'],
    ['my.localhost', 'vm-c64804ab'],
    ['localhost.example.org', 'vm-localhost', 'localhost.example.org'],
    ['..', 'vm-c64804ab'],
    ['$(id)', 'id'],
    ['-rf', 'rf'],
    ['日本', 'vm-c64804ab'],
    ['a\nb', 'a-b'],
    ['', 'vm-c64804ab'],
  ];
  for (const [name, label, full] of cases) {
    it(`${JSON.stringify(name)} is ${full ?? label}`, () => {
      expect(hostName(name, UUID)).to.deep.equal({ label, full });
    });
  }

  it('are valid whatever the domain is called', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.domain()), name => {
        const { label, full } = hostName(name, UUID);
        expect(label).to.match(LABEL);
        expect(label).not.to.match(/^\d+$|^0x[0-9a-f]*$|^localhost$/);
        if (full === undefined) return;
        expect(full.length).to.be.at.most(253);
        for (const each of full.split('.')) expect(each).to.match(LABEL);
      }),
    );
  });

  it('are unique among domains; whose own name it is keeps it', () => {
    const names = hostNames([
      { uuid: '11111111-0000-4000-8000-000000000000', name: 'Web' },
      { uuid: '22222222-0000-4000-8000-000000000000', name: 'web' },
      { uuid: '33333333-0000-4000-8000-000000000000', name: 'web.example.org' },
      { uuid: '44444444-0000-4000-8000-000000000000', name: 'mail.example.org' },
    ]);
    expect([...names.values()].map(({ label, full }) => full ?? label).sort()).to.deep.equal([
      'mail.example.org',
      'web',
      'web-11111111',
      'web-33333333.example.org',
    ]);
  });
});
