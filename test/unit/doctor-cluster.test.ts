import { expect } from 'chai';
import { isOlder } from '../../src/doctor/cluster/alike.ts';
import { examine } from '../../src/doctor/examine.ts';
import { CASES, clustered, count, ENDPOINTS, members } from './doctor-cluster-cases.ts';

describe('doctor, in a cluster', () => {
  it('finds nothing on a host that is fit', () => {
    expect(examine(clustered({}))).to.deep.equal([]);
  });

  for (const [what, [change, found, why]] of Object.entries(CASES))
    it(`finds ${what}, and nothing else`, () => {
      const findings = examine(clustered(change));
      expect(findings.map(one => one.what)).to.have.length(1);
      expect(findings[0]?.what).to.match(found);
      expect(findings[0]?.why).to.match(why);
      expect(findings[0]?.mend).not.to.equal('');
    });

  it('names what is spoken without encryption, but for this host itself', () => {
    const endpoints = ['http://10.9.0.1:2379', 'http://127.0.0.1:2379', 'https://10.9.0.3:2379'];
    const [finding, ...more] = examine(
      clustered({ outputs: { [members.replace(ENDPOINTS.join(), endpoints.join())]: count(3) } }, endpoints),
    );
    expect(more).to.deep.equal([]);
    expect(finding?.what).to.equal('etcd is spoken to without encryption at http://10.9.0.1:2379');
  });

  it('compares versions by their numbers', () => {
    expect(isOlder('0.9.0', '0.10.0')).to.equal(true);
    expect(isOlder('0.10.0', '0.9.9')).to.equal(false);
    expect(isOlder('1.0.0', '1.0.0')).to.equal(false);
    expect(isOlder('main', '1.0.0')).to.equal(false);
  });
});
