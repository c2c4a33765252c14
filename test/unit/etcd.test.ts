import { expect } from 'chai';
import fc from 'fast-check';
import { readEntries, readTransaction } from '../../src/cluster/answer.ts';
import { contentsOf, refuseUnreadable } from '../../src/cluster/contents.ts';
import { etcdOf } from '../../src/cluster/etcdctl.ts';
import { claimKey, runKey, sequenceKey } from '../../src/cluster/keys.ts';
import { causeOf, isFinal, SilentRefusal } from '../../src/cluster/silence.ts';
import { goQuote, renderTransaction } from '../../src/cluster/transaction.ts';
import { claimText } from '../../src/cluster/values.ts';
import { CommandFailure } from '../../src/host/command.ts';
import { format, parsePrefix } from '../../src/model/address.ts';
import { refusalOf } from './refusal.ts';

const FRA = { name: 'fra' };
const UUID = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';
const VM1 = { uuid: UUID, name: 'vm1' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const kv = (key: string, value: string, mod_revision = 7) => ({
  key: base64(key),
  mod_revision,
  ...(value !== '' && { value: base64(value) }),
});

describe('etcd', () => {
  it('gets a transaction in the lines that etcdctl reads', () => {
    const text = renderTransaction({
      compare: [
        { key: '/a', revision: 0 },
        { key: '/b', value: '{"x":1}' },
      ],
      success: [{ put: '/a', value: '' }, { delete: '/b' }],
      failure: [{ get: '/a' }, { getAll: '/c/' }],
    });
    expect(text).to.equal(`mod("/a") = "0"
value("/b") = "{\\x22x\\x22:1}"

put "/a" ""
del "/b"

get "/a"
get --prefix "/c/"

`);
    expect(renderTransaction({ compare: [], success: [], failure: [] })).to.equal('\n\n\n');
  });

  it('gets any text on one line, without a quote in it', () => {
    expect(goQuote('ä"\\\n')).to.equal('"\\xc3\\xa4\\x22\\x5c\\x0a"');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const quoted = goQuote(text);
        expect(quoted).to.match(/^"(?:[ !#-[\]-~]|\\x[0-9a-f]{2})*"$/);
        const bytes = quoted
          .slice(1, -1)
          .replace(/\\x(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
        expect(Buffer.from(bytes, 'latin1').equals(Buffer.from(text))).to.equal(true);
      }),
    );
  });

  /** What etcdctl 3.4.23 prints, and one of 3.5 in its own words. */
  const done = `{"header":{"cluster_id":2037210783374497686,"revision":2,"raft_term":2},"succeeded":true,"responses":[{"Response":{"ResponsePut":{"header":{"revision":2}}}}]}`;
  const refused = JSON.stringify({
    header: { revision: 9 },
    responses: [
      { Response: { ResponseRange: { header: { revision: 9 }, kvs: [kv('/x', 'y')], count: 1 } } },
      { Response: { response_range: { header: { revision: 9 } } } },
      { Response: { response_range: { kvs: [kv('/z', '')] } } },
    ],
  });

  it('says that a compare failed by saying nothing of success', () => {
    expect(readTransaction(done)).to.deep.equal({ succeeded: true, revision: 2, entries: new Map() });
    expect(readTransaction(refused)).to.deep.equal({
      succeeded: false,
      revision: 9,
      entries: new Map([
        ['/x', { value: 'y', revision: 7 }],
        ['/z', { value: '', revision: 7 }],
      ]),
    });
    expect(readEntries('{"header":{"revision":3}}')).to.deep.equal({ revision: 3, entries: new Map() });
    for (const printed of ['', 'lease 1', '{}', '{"header":{"revision":"a"}}'])
      expect(refusalOf(() => readTransaction(printed)).message).to.match(
        /^Cannot read what etcdctl printed: /,
      );
  });

  const contents = (...kvs: ReturnType<typeof kv>[]) =>
    contentsOf(FRA, readEntries(JSON.stringify({ header: { revision: 9 }, kvs })));

  it('holds claims, runs and reservations, and what a key of them holds is read at the door', () => {
    const address = {
      prefix: parsePrefix('123.45.90.116'),
      bridge: 'br116',
      scope: parsePrefix('172.30.116.0/24'),
    };
    const found = contents(
      kv(claimKey(FRA, address.prefix), claimText(address, VM1)),
      kv(sequenceKey(FRA), '', 12),
      kv(runKey(FRA, UUID), '{"host":"h1","boot":"b","start":"s","later":1}'),
      kv('/hnet/fra/reservations/ip-2001:db8::-64', '{"name":null,"since":"2026-11-28T17:03:45.000Z"}'),
      kv('/hnet/fra/whatever/else', '?'),
    );
    expect(found.sequence).to.equal(12);
    expect(found.claims.map(({ prefix, domain, bridge }) => [format(prefix), domain, bridge])).to.deep.equal([
      ['123.45.90.116', UUID, 'br116'],
    ]);
    expect(found.runs.get(UUID)?.host).to.equal('h1');
    expect(found.reservations.map(one => [format(one.address), one.name])).to.deep.equal([
      ['2001:db8::/64', undefined],
    ]);
  });

  it('holds nothing that is guessed at', () => {
    const bad = [
      kv('/hnet/fra/claims/ip-1.2.3.4-32', '{'),
      kv('/hnet/fra/claims/ip-1.2.3.4-32', '{"domain":"../x","name":"","bridge":"b","scope":"10.0.0.0/24"}'),
      kv('/hnet/fra/claims/bridge-br1', claimText({ bridge: 'br1', scope: parsePrefix('10.0.0.0/24') }, VM1)),
      kv(`/hnet/fra/runs/${UUID}`, '{"host":"../../etc","boot":"","start":""}'),
    ];
    for (const one of bad) {
      const found = contents(one);
      expect([found.claims.length, found.runs.size]).to.deep.equal([0, 0]);
      expect(refusalOf(() => refuseUnreadable(found, () => true)).message).to.match(
        /^Cannot read "\/hnet\/fra\/.*etcdctl del$/,
      );
      refuseUnreadable(found, key => key === 'another');
    }
  });

  const settings = { endpoints: ['https://10.9.0.1:2379'], ca: undefined, cert: '/c', key: '/k' };
  const failing = (stderr: string, status: number | null, calls: string[][] = []) =>
    etcdOf(settings, {
      run: (argv: readonly string[]) => {
        calls.push([...argv]);
        throw new CommandFailure(argv, 'it failed', { status, stderr });
      },
    });

  it('is asked twice, unless it said no; what it says is told without the command', () => {
    const hangs: string[][] = [];
    const silent = refusalOf(() =>
      failing('Subchannel Connectivity change to READY', null, hangs).read('/x'),
    );
    expect(silent).to.be.instanceOf(SilentRefusal);
    expect(silent.message).to.equal(
      "etcd doesn't answer at https://10.9.0.1:2379: it is reached, and has no quorum or hangs",
    );
    expect(hangs).to.have.length(2);
    expect(hangs[0]).to.include.members(['--cert=/c', '--key=/k', 'get']);
    const no: string[][] = [];
    const refused = refusalOf(() =>
      failing('Error: etcdserver: too many operations in txn request', 1, no).transact({
        compare: [],
        success: [],
        failure: [],
      }),
    );
    expect(refused).not.to.be.instanceOf(SilentRefusal);
    expect(refused.message).to.equal(
      'etcd refuses at https://10.9.0.1:2379: etcdserver: too many operations in txn request',
    );
    expect(no).to.have.length(1);
  });

  it('has its reasons in the words of etcdctl', () => {
    const told = {
      'Err: connection error: desc = "transport: authentication handshake failed: x509: certificate signed by unknown authority". Reconnecting':
        'the TLS handshake fails: x509: certificate signed by unknown authority',
      'Err: connection error: desc = "transport: Error while dialing dial tcp 10.9.0.1:2379: connect: connection refused". Re':
        'connection refused',
      'Err: connection error: desc = "transport: Error while dialing dial tcp: lookup e on 9.9.9.9:53: no such host". Re':
        'no such host',
      'createTransport failed to connect to {https://127.0.0.1:3379}. Err: use of closed network connection. Re':
        'it closes the connection; it may want https, or a certificate of this host ("cert" and "key")',
      'INFO: loopyWriter.run returning. connection error: desc = "transport is closing"\n[core]Channel to READY':
        'it closes the connection; it may want https, or a certificate of this host ("cert" and "key")',
      'Error: open /nonexist: no such file or directory': 'open /nonexist: no such file or directory',
      '': 'no answer in time',
    };
    for (const [stderr, cause] of Object.entries(told)) expect(causeOf(stderr)).to.equal(cause);
    expect(isFinal('Error: open /nonexist: no such file')).to.equal(true);
    for (const again of [
      'context deadline exceeded',
      'etcdserver: no leader',
      'etcdserver: request timed out',
    ])
      expect(isFinal(`Error: ${again}`), again).to.equal(false);
  });
});
