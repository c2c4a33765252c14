import { expect } from 'chai';
import fc from 'fast-check';
import {
  type Action,
  announce,
  batchCommand,
  batches,
  describe as describeAction,
  directory,
  interleave,
  ip,
  ipset,
  launch,
  nft,
  remove,
  run,
  serve,
  strike,
  write,
} from '../../src/resources/action.ts';

const line = fc.oneof(
  fc.constantFrom(...'abc').map(word => ip(word)),
  fc.constantFrom(...'abc').map(word => ipset(word)),
  fc.constantFrom(...'abc').map(word => run([word])),
);

describe('action', () => {
  it('batches neighbouring lines of one tool, and nothing else', () => {
    const actions = [ip('a'), ip('b'), ipset('c'), ip('d'), run(['e']), ip('f'), nft('g'), nft('h')];
    expect(batches(actions)).to.deep.equal([
      { kind: 'lines', tool: 'ip', lines: ['a', 'b'] },
      { kind: 'lines', tool: 'ipset', lines: ['c'] },
      { kind: 'lines', tool: 'ip', lines: ['d'] },
      { kind: 'single', action: run(['e']) },
      { kind: 'lines', tool: 'ip', lines: ['f'] },
      { kind: 'lines', tool: 'nft', lines: ['g', 'h'] },
    ]);
  });

  it('has all be told to a wire at once', () => {
    const both = { kind: 'announce', device: 'eth0', prefixes: ['a', 'b'] };
    const actions = [announce('eth0', 'a'), announce('eth0', 'b'), announce('eth1', 'c'), ip('d')];
    expect(batches(actions).slice(0, 2)).to.deep.equal([
      { kind: 'single', action: both },
      { kind: 'single', action: announce('eth1', 'c') },
    ]);
    const split = [announce('eth0', 'a'), ip('d'), announce('eth0', 'b')];
    expect(batches(split)).to.have.length(3);
    expect(
      batches(
        interleave([
          [ip('d'), announce('eth0', 'a')],
          [ip('e'), announce('eth0', 'b')],
        ]),
      ),
    ).to.deep.equal([
      { kind: 'lines', tool: 'ip', lines: ['d', 'e'] },
      { kind: 'single', action: both },
    ]);
  });

  it('keeps the order of a plan, whatever it is: that is what makes it safe', () => {
    fc.assert(
      fc.property(fc.array(line), actions => {
        const performed = batches(actions).flatMap(batch =>
          batch.kind === 'lines'
            ? batch.lines.map(text => `${batch.tool} ${text}`)
            : [describeAction(batch.action)],
        );
        expect(performed).to.deep.equal(actions.map(describeAction));
        const tools = batches(actions).map(batch => (batch.kind === 'lines' ? batch.tool : undefined));
        tools.forEach((tool, index) => {
          if (tool !== undefined) expect(tools[index - 1]).not.to.equal(tool);
        });
      }),
    );
  });

  it('quotes a word that holds a space, as ip and ipset read it', () => {
    const [batch] = batches([ip('link', 'set', 'dev', 'br116', 'alias', 'hnet uuid')]);
    expect(batch).to.deep.include({ lines: ['link set dev br116 alias "hnet uuid"'] });
  });

  it('hands a batch to its tool on standard input', () => {
    expect(batchCommand('ip', ['a', 'b'], false)).to.deep.equal({
      argv: ['ip', '-batch', '-'],
      stdin: 'a\nb\n',
    });
    expect(batchCommand('ip', ['a'], true).argv).to.deep.equal(['ip', '-force', '-batch', '-']);
    expect(batchCommand('ipset', ['a'], false)).to.deep.equal({
      argv: ['ipset', '-exist', 'restore'],
      stdin: 'a\n',
    });
  });

  it('is described as a person at a shell would write it', () => {
    const wanted: [Action, string][] = [
      [ip('link', 'set', 'alias', 'a b'), 'ip link set alias "a b"'],
      [run(['conntrack', '-D']), 'conntrack -D'],
      [launch(['ip', 'link', 'delete', 'dev', 'x']), 'ip link delete dev x &'],
      [
        serve({
          argv: ['dnsmasq', '--conf-file=/x'],
          pidFile: '/x.pid',
          data: '/x.leases',
          words: '/x.words',
          ports: [67],
        }),
        'dnsmasq --conf-file=/x &',
      ],
      [run(['iptables-restore'], '*raw\nCOMMIT\n'), "iptables-restore <<'END'\n*raw\nCOMMIT\nEND"],
      [write('/x', 'a\nb\n'), "cat > /x <<'END'\na\nb\nEND"],
      [{ kind: 'sysctl', path: '/proc/sys/x', value: '1' }, 'echo 1 > /proc/sys/x'],
      [directory('/x'), 'mkdir -p /x'],
      [remove('/x'), 'rm -f /x'],
      [strike('/x', '^a'), "perl -i -ne 'print unless /^a/' /x"],
      [{ kind: 'terminate', pidFile: '/x.pid', marker: 'x' }, 'kill $(cat /x.pid)'],
    ];
    for (const [action, text] of wanted) expect(describeAction(action)).to.equal(text);
  });
});
