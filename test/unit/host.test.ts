import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Host } from '../../src/host/host.ts';
import { ifPossible } from '../../src/model/refusal.ts';
import {
  type Action,
  batches,
  directory,
  launch,
  remove,
  serve,
  strike,
  write,
} from '../../src/resources/action.ts';
import { until } from '../lab/wait.ts';
import { refusalOf } from '../support/refused.ts';

const sh = (script: string): string[] => ['sh', '-c', script];

/** Empty for a process that is gone: it may go between any two looks. */
const commandLine = (pid: number): string =>
  ifPossible(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '';

function perform(action: Action, host = new Host()): void {
  for (const batch of batches([action])) host.perform(batch, false);
}

describe('host', () => {
  let home = '';
  const pids: number[] = [];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'hnet-'));
  });
  afterEach(() => {
    for (const pid of pids.splice(0)) {
      if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    }
    rmSync(home, { recursive: true });
  });

  it('runs a command with its input, in an environment of its own', () => {
    expect(new Host().run(['cat'], 'in')).to.equal('in');
    const seen = new Host().run(sh('echo $PATH $LC_ALL $HOME; pwd'));
    expect(seen).to.equal('/usr/sbin:/usr/bin:/sbin:/bin C\n/\n');
  });

  it("says which command failed, and in the tool's own words, on one line", () => {
    const fails = sh('echo first >&2; echo second >&2; exit 3');
    expect(refusalOf(() => new Host().run(fails))).to.match(/^Cannot run "sh -c .*": first; second$/);
    expect(refusalOf(() => new Host().run(sh('exit 3')))).to.match(/: exit code 3$/);
    expect(refusalOf(() => new Host().run(sh('kill -9 $$')))).to.match(/: exit code SIGKILL$/);
    expect(refusalOf(() => new Host().run(['no-such-tool', 'x']))).to.equal(
      'Cannot run "no-such-tool x": the program is not installed',
    );
  });

  it('waits for no child beyond its limit, nor beyond the deadline of the whole', () => {
    const begun = performance.now();
    // The grandchild keeps the outputs open, as a hanging tool may do.
    const hangs = sh('sleep 20 & wait');
    expect(refusalOf(() => new Host().run(hangs, '', 100))).to.match(/: no answer within 0\.1 s$/);
    expect(refusalOf(() => new Host({ limit: 100 }).run(hangs))).to.contain('no answer within');
    expect(performance.now() - begun).to.be.below(5_000);
  });

  it('runs others beside a query, and passes on what those print that come to their end', () => {
    const others = [['printf', '%s', "it's"], ['cat'], sh('echo half; exit 1'), ['no-such-tool'], ['true']];
    const many = Array.from({ length: 8 }, (_, number) => ['echo', String(number)]);
    for (const commands of [others, many]) {
      const found = new Map<string, string>();
      const printed = ([, ...words]: readonly string[], output: string) => found.set(words.join(' '), output);
      const queries = { loopback: 'link show dev lo', nothing: 'link show dev hnet-no-such' };
      const { loopback, nothing } = new Host().query(queries, { commands, printed });
      expect(loopback).to.have.nested.property('found[0].ifname', 'lo');
      expect(nothing).to.deep.equal({ found: [], failure: 'Device "hnet-no-such" does not exist.' });
      expect([...found]).to.deep.equal(
        commands === others
          ? [
              ["%s it's", "it's"],
              ['', ''],
            ]
          : many.map(([, word = '']) => [word, `${word}\n`]),
      );
    }
  });

  it('leaves none of those behind that hang beside a query', async () => {
    const commands = [['sleep', '1234.5678']];
    const query = () =>
      new Host({ limit: 300 }).query({ lo: 'link show dev lo' }, { commands, printed: () => {} });
    expect(refusalOf(query)).to.match(
      /^Cannot run "ip -json .*": no answer within 0\.\d s from it or from "sleep 1234\.5678"$/,
    );
    const left = () => readdirSync('/proc').some(pid => commandLine(Number(pid)).includes('1234.5678'));
    await until(() => !left(), 5_000, 'the end of what hangs');
  });

  it('goes on past lines that fail when taking down, where absence is no failure', () => {
    const absent = ['link delete dev hnet-no-such', 'route delete 192.0.2.1/32 dev hnet-no-such'];
    const batch = { kind: 'lines', tool: 'ip', lines: absent } as const;
    new Host().perform(batch, true);
    expect(refusalOf(() => new Host().perform(batch, false))).to.contain('Cannot find device');
    const wrong = { ...batch, lines: [...absent, 'no-such-object'] };
    expect(refusalOf(() => new Host().perform(wrong, true))).to.contain('no-such-object');
  });

  it('goes on past lines that end the whole batch when taking down, and reports every failure', () => {
    const done: string[] = [];
    const host = new Host({ trace: line => done.push(line) });
    // `ip token` ends the batch, so each line runs by itself.
    const lines = ['token get dev hnet-no-such', 'link show dev lo', 'no-such-object', 'link show dev lo'];
    const failures = refusalOf(() => host.perform({ kind: 'lines', tool: 'ip', lines }, true));
    expect(failures).to.match(/^Cannot run "ip .*hnet-no-such.*; Cannot run "ip .*no-such-object/);
    expect(done.filter(line => line === '  ip link show dev lo')).to.have.length(2);
  });

  it('writes files whole or not at all, and treats absence as removed', () => {
    const path = join(home, 'deep/er/file');
    perform(write(path, 'text'));
    expect(readFileSync(path, 'utf8')).to.equal('text');
    expect(readdirSync(join(home, 'deep/er'))).to.deep.equal(['file']);
    for (let round = 0; round < 2; round++) {
      perform(remove(path));
      perform(directory(join(home, 'deep')));
    }
    expect(readdirSync(join(home, 'deep/er'))).to.deep.equal([]);
    const blocked = write(join(home, 'deep'), 'a directory stands there');
    expect(refusalOf(() => perform(blocked))).to.contain(join(home, 'deep'));
    expect(readdirSync(home)).to.deep.equal(['deep']);
  });

  const service = (argv: readonly string[], ports: readonly number[] = []): Action =>
    serve({
      argv,
      pidFile: join(home, 'server.pid'),
      data: join(home, 'data'),
      words: join(home, 'server.words'),
      ports,
    });
  const dgram = (act: string): string[] => [
    process.execPath,
    '-e',
    `const s = require('node:dgram').createSocket('udp4'); ${act}`,
  ];
  /** A port of 127.0.0.1 that nobody has. */
  const freePort = (): number => {
    const print = "s.bind(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })";
    const [command = '', ...args] = dgram(print);
    return Number(spawnSync(command, args, { encoding: 'utf8' }).stdout);
  };

  it('starts a server without waiting for more than its ports, and notes its pid', () => {
    const host = new Host();
    const port = freePort();
    perform(service(dgram(`setTimeout(() => s.bind(${port}, '127.0.0.1'), 200)`), [port]), host);
    const pid = Number(readFileSync(join(home, 'server.pid'), 'utf8'));
    pids.push(pid);
    host.awaitServers();
    expect(commandLine(pid)).to.contain('node:dgram');
    expect(readdirSync(home)).to.deep.equal(['server.pid', 'server.words']);
    expect(readFileSync('/proc/net/udp', 'utf8')).to.match(
      new RegExp(`:${port.toString(16).toUpperCase().padStart(4, '0')} `),
    );
    // It was asked once, and isn't asked again.
    process.kill(pid, 'SIGKILL');
    host.awaitServers();
  });

  it('says why a server refuses, in its own words', async () => {
    const refusal = (argv: string[], limit?: number) => {
      const host = new Host(limit === undefined ? {} : { limit });
      perform(service(argv, [67]), host);
      return refusalOf(() => host.awaitServers());
    };
    expect(refusal(sh('echo bad option >&2; echo at line 1 >&2; exit 1'))).to.match(
      /^Cannot run "sh -c .*": bad option; at line 1$/,
    );
    expect(refusal(sh('exit 0'))).to.match(/: it ended at once$/);
    expect(refusal(['no-such-server'])).to.equal('Cannot run "no-such-server": the program is not installed');
    expect(refusal(sh('exec sleep 20'), 100)).to.match(/: no answer within 0\.\d s$/);
    const pid = Number(readFileSync(join(home, 'server.pid'), 'utf8'));
    await until(() => commandLine(pid) === '', 5_000, 'the end of what does not answer');
  });

  it('strikes lines out of a file, and minds no file that is missing', () => {
    const file = join(home, 'leases');
    perform(strike(file, '^b'));
    expect(existsSync(file)).to.equal(false);
    writeFileSync(file, 'a 1\nb 2\nab 3\n');
    perform(strike(file, '^b'));
    expect(readFileSync(file, 'utf8')).to.equal('a 1\nab 3\n');
  });

  it('waits for nothing that is only launched', async () => {
    const file = join(home, 'done');
    perform(launch(sh(`until [ -e ${file}.go ]; do :; done; echo >${file}`)));
    expect(existsSync(file)).to.equal(false);
    writeFileSync(`${file}.go`, '');
    await until(() => existsSync(file), 5_000, 'what was launched');
  });

  it('ends a process by its pid file, even one that will not', async () => {
    const stubborn = await started('trap "" TERM');
    end(stubborn.pidFile, stubborn.marker);
    // Its parent may not have collected it yet; then there is a pid, and nothing behind it.
    expect(commandLine(stubborn.pid)).to.equal('');
  });

  it('ends nothing that has the pid but not the marker, and minds no missing or broken pid file', async () => {
    const other = await started(':');
    end(other.pidFile, 'another-marker');
    end(join(home, 'no-such-file'), other.marker);
    for (const text of ['', 'x', '1', '-1', '0', '4194305']) {
      writeFileSync(join(home, 'broken.pid'), text);
      end(join(home, 'broken.pid'), other.marker);
    }
    expect(commandLine(other.pid)).to.contain(other.marker);
  });

  function end(pidFile: string, marker: string): void {
    perform({ kind: 'terminate', pidFile, marker });
  }

  /** A process that runs until it is ended, and its pid file. Its parent collects it, or it would stay a zombie. */
  async function started(setup: string): Promise<{ pid: number; pidFile: string; marker: string }> {
    const [marker, pidFile] = [join(home, 'marker.conf'), join(home, 'process.pid')];
    const inner = `${setup}; echo $$ >${pidFile}; echo ready; while :; do sleep 0.05; done`;
    const parent = spawn('sh', ['-c', 'sh -c "$0" "$1" & wait', inner, marker], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise(resolve => parent.stdout.once('data', resolve));
    const pid = Number(readFileSync(pidFile, 'utf8'));
    pids.push(pid);
    return { pid, pidFile, marker };
  }
});
