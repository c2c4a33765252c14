import { expect } from 'chai';
import fc from 'fast-check';
import { isCalled, parseListener } from '../../src/host/observe/listeners.ts';
import { parseAddress, parsePrefix } from '../../src/model/address.ts';
import { calledIn, claimsOf } from '../../src/model/claims.ts';
import { collide } from '../../src/model/forward.ts';
import { formatForward, parseForward, targetOf } from '../../src/model/forward-words.ts';

describe('a forward', () => {
  const port = fc.integer({ min: 1, max: 60_000 });
  const on = fc.constantFrom('', ' on 198.51.100.9', ' on 2001:db8::9');
  const forward = fc
    .record({
      protocol: fc.constantFrom('tcp', 'udp'),
      first: port,
      more: fc.integer({ min: 0, max: 1023 }),
      to: port,
      on,
    })
    .map(one => parseForward(`${one.protocol}/${one.first}-${one.first + one.more}:${one.to}${one.on}`));

  it('is written in one way, which is read as the same', () => {
    fc.assert(
      fc.property(forward, one => {
        expect(parseForward(formatForward(one))).to.deep.equal(one);
      }),
    );
    for (const [text, canonical] of [
      ['tcp/22', 'tcp/22'],
      ['tcp/22:22', 'tcp/22'],
      ['udp/10-12:20-22', 'udp/10-12:20'],
      [' tcp/1-1:5 ', 'tcp/1:5'],
    ] as const)
      expect(formatForward(parseForward(text))).to.equal(canonical);
  });

  it('has a claim that says the same of the ports of the host', () => {
    fc.assert(
      fc.property(forward, one => {
        const [claim = ''] = claimsOf({ addresses: [], forwards: [one] });
        expect(calledIn(claim)).to.deep.equal({ ...one, to: one.ports[0] });
      }),
    );
    expect(calledIn('ip-123.45.90.116-32')).to.equal(undefined);
  });

  it('collides with another exactly if a packet could be meant by both', () => {
    fc.assert(
      fc.property(forward, forward, (a, b) => {
        const [low, high] = [Math.max(a.ports[0], b.ports[0]), Math.min(a.ports[1], b.ports[1])];
        const family = (one: typeof a) => one.on?.family ?? 4;
        const meet = a.on === undefined || b.on === undefined || a.on.first === b.on.first;
        expect(collide(a, b)).to.equal(
          a.protocol === b.protocol && low <= high && family(a) === family(b) && meet,
        );
        expect(collide(a, b)).to.equal(collide(b, a));
      }),
    );
  });

  it('is refused with what is wrong with it', () => {
    for (const [text, why] of [
      ['', 'is not a forward'],
      ['icmp', 'is not a forward'],
      ['tcp/1,2', 'is not a forward'],
      ['tcp/0', 'from 1 to 65535'],
      ['tcp/65536', 'from 1 to 65535'],
      ['tcp/65535-65536', 'from 1 to 65535'],
      ['tcp/100-200:65500', 'from 1 to 65535'],
      ['tcp/9-3', 'ends before it begins'],
      ['tcp/1-3:5-6', 'two ranges of different length'],
      ['tcp/1-5000', 'more than 1024 ports'],
      ['tcp/1 on nowhere', 'nowhere'],
      ['tcp/1 on 10.0.0.0/8', '10.0.0.0/8'],
    ] as const)
      expect(() => parseForward(text), text).to.throw(why);
  });

  it('leads to the private address, or else to the first single one of its family', () => {
    const at = (ip: string, scope = '172.30.5.0/24') => ({
      prefix: parsePrefix(ip),
      bridge: 'br1',
      scope: parsePrefix(scope),
    });
    const all = [at('2001:db8::/64'), at('123.45.90.112/29'), at('123.45.90.116'), at('2001:db8:1::5')];
    expect(targetOf(all, 4)).to.deep.equal(parseAddress('123.45.90.116'));
    expect(targetOf([...all, at('172.30.5.10')], 4)).to.deep.equal(parseAddress('172.30.5.10'));
    expect(targetOf(all, 6)).to.deep.equal(parseAddress('2001:db8:1::5'));
    expect(targetOf([{ ...at('123.45.90.116'), via: parseAddress('123.45.90.117') }], 4)).to.equal(undefined);
  });
});

describe('a program that listens', () => {
  const call = (line: string, text: string): boolean => isCalled(parseListener(line), parseForward(text));
  const LINES = {
    every: 'tcp   LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=7,fd=3))',
    both: 'tcp   LISTEN 0      128                *:80               *:*',
    six: 'tcp   LISTEN 0      128             [::]:22            [::]:*    users:(("sshd",pid=7,fd=4))',
    loopback:
      'udp   UNCONN 0      0     127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=1,fd=1))',
    local: 'tcp   LISTEN 0      5           127.0.0.1:631        0.0.0.0:*',
    bound: 'udp   UNCONN 0      0     0.0.0.0%br116:67         0.0.0.0:*    users:(("dnsmasq",pid=2,fd=4))',
    one: 'tcp   LISTEN 0      5      198.51.100.9:25         0.0.0.0:*',
    link: 'udp   UNCONN 0      0      [fe80::1%br116]:547          [::]:*',
  } as const;

  it('is known by its line', () => {
    expect(parseListener(LINES.every)).to.include({
      protocol: 'tcp',
      port: 22,
      address: undefined,
      program: 'sshd',
    });
    expect(parseListener(LINES.loopback)).to.include({ device: 'lo', program: 'systemd-resolve' });
    expect(parseListener(LINES.bound)).to.include({ device: 'br116', port: 67 });
    expect(parseListener(LINES.link)).to.include({ port: 547 });
    expect(() => parseListener('something else')).to.throw('Cannot read "something else"');
  });

  it('would lose its calls to a forward of its port, unless that is on another address', () => {
    for (const [line, text, expected] of [
      ['every', 'tcp/22', true],
      ['every', 'tcp/22 on 198.51.100.9', true],
      ['every', 'udp/22', false],
      ['every', 'tcp/2201:22', false],
      ['both', 'tcp/70-90', true],
      ['loopback', 'udp/53', false],
      ['local', 'tcp/631', false],
      ['bound', 'udp/67', true],
      ['one', 'tcp/25', true],
      ['one', 'tcp/25 on 198.51.100.8', false],
      ['one', 'tcp/25 on 2001:db8::1', false],
    ] as const)
      expect(call(LINES[line], text), `${line} ${text}`).to.equal(expected);
  });
});
