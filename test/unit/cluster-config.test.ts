import { expect } from 'chai';
import { MOVE_STATES, metricOf, metricsOf, PEER_METRIC } from '../../src/model/move.ts';
import { POOL_METRIC } from '../../src/model/names.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { FAMILIES } from '../../src/model/prefix.ts';

const TABLE = {
  name: '"fra"',
  interface: '"eth0.4000"',
  etcd: '["https://10.9.0.1:2379", "http://[fd00::1]:2379"]',
  announce: '"bgp"',
};
const text = (change: Record<string, string | undefined> = {}): string =>
  [
    'pools = ["123.45.90.112/29"]',
    '[cluster]',
    ...Object.entries({ ...TABLE, ...change }).flatMap(([key, value]) =>
      value === undefined ? [] : `${key} = ${value}`,
    ),
  ].join('\n');
const read = (change?: Record<string, string | undefined>) => parseConfig(text(change)).cluster;

describe('the table [cluster]', () => {
  it('is what makes a host one of several', () => {
    expect(parseConfig('pools = []').cluster).to.equal(undefined);
    expect(read()).to.deep.equal({
      name: 'fra',
      host: undefined,
      wire: 'eth0.4000',
      addresses: [],
      etcd: {
        endpoints: ['https://10.9.0.1:2379', 'http://[fd00::1]:2379'],
        ca: undefined,
        cert: undefined,
        key: undefined,
      },
      announce: 'bgp',
      command: [],
      reflectors: [],
      settle: 30,
      offline: 'own',
    });
    expect(read({ announce: '"command"', command: '["/bin/move", "now"]' })?.command).to.deep.equal([
      '/bin/move',
      'now',
    ]);
  });

  const bad: Record<string, [Record<string, string | undefined>, RegExp]> = {
    'a name that is a path of etcd': [
      { name: '"a/b"' },
      /key "cluster\.name": "a\/b": not a name of letters/,
    ],
    'no way to announce': [{ announce: undefined }, /key "cluster\.announce": the key is missing/],
    'a way that nobody knows': [{ announce: '"arp"' }, /"arp": not "on-link", "bgp" or "command"/],
    'an etcd without a port': [
      { etcd: '["http://10.9.0.1"]' },
      /"http:\/\/10\.9\.0\.1" is not a URL such as/,
    ],
    'an etcd of another protocol': [{ etcd: '["ftp://10.9.0.1:21"]' }, /is not a URL such as https/],
    'no etcd': [{ etcd: '[]' }, /key "cluster\.etcd": names no etcd/],
    'a certificate without its key': [
      { cert: '"/c.pem"' },
      /key "cluster\.cert": .*"cert" and "key" come together/,
    ],
    'a relative path': [{ ca: '"ca.pem"' }, /key "cluster\.ca": "ca\.pem": not an absolute path/],
    'a command that nobody runs': [
      { command: '["/bin/x"]' },
      /key "cluster\.command": .*announce = "command"/,
    ],
    'no command to run': [{ announce: '"command"' }, /key "cluster\.command": .*announce = "command"/],
    'no time to settle': [{ settle: '"0s"' }, /"0s" is not a time of at least 1s, such as 30s/],
    'two addresses of one family': [{ address: '["10.9.0.1", "10.9.0.2"]' }, /two of one family/],
  };
  for (const [name, [change, why]] of Object.entries(bad))
    it(`refuses ${name}`, () => expect(() => read(change)).to.throw(why));
});

describe('the metric of a route', () => {
  it('is better than a peer says of what is here, worse of what is not, and better than the dead end always', () => {
    for (const family of FAMILIES) {
      const here = [metricOf(family, undefined), metricOf(family, 'arrived')];
      const elsewhere = [metricOf(family, 'incoming'), metricOf(family, 'leaving')];
      for (const metric of here) expect(metric).to.be.lessThan(PEER_METRIC);
      for (const metric of elsewhere) expect(metric).to.be.within(PEER_METRIC + 1, POOL_METRIC[family] - 1);
      expect(metricsOf(family)).to.have.members([...here, ...elsewhere]);
      expect(metricsOf(family)).to.have.length(MOVE_STATES.length + 1);
    }
  });
});
