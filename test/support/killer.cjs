/**
 * Loaded before a program, kills it with SIGKILL at its nth step. A step is a call that changes something: so the steps
 * are those that the program really takes, whatever they are. Before the nth is after the one before it, and nothing
 * changes between. In the mode `between` the steps are the lines of commands that carry out one line after the other,
 * and the nth has been carried out when all ends. At its 0th step it isn't killed, and prints how many there were.
 */
const childProcess = require('node:child_process');
const fs = require('node:fs');

const [mode, nth] = (process.env.HNET_KILL ?? '').split(' ');
const die = process.kill.bind(process, process.pid, 'SIGKILL');
let steps = 0;
const { writeSync } = fs;
if (nth === '0') process.once('exit', () => writeSync(2, `steps ${steps}\n`));

/** Counts a step, and tells whether it is the one. */
function isLast(kind) {
  if (kind === mode) steps += 1;
  return kind === mode && steps === Number(nth);
}

const exists = path => fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
const CHANGES = {
  mkdirSync: path => !exists(path),
  rmSync: exists,
  writeFileSync: () => true,
  renameSync: () => true,
  symlinkSync: () => true,
};

for (const [name, changes] of Object.entries(CHANGES)) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (changes(args[0]) && isLast('before')) die();
    return real(...args);
  };
}

/** Commands that only look; a lock ends with the program. */
const LOOKS = /^(ip -json|ipset save|ip6?tables\S*-save|iptables -V|nft .*list|ss|virsh|\S*flock)\b/;

const spawnSync = childProcess.spawnSync;
childProcess.spawnSync = (command, args, options) => {
  if (LOOKS.test([command, ...args].join(' '))) return spawnSync(command, args, options);
  if (isLast('before')) die();
  const lines = isPiecemeal(command) ? options.input.split('\n').filter(line => line !== '') : [];
  for (let count = 1; count < lines.length; count++) {
    if (!isLast('between')) continue;
    spawnSync(command, args, { ...options, input: `${lines.slice(0, count).join('\n')}\n` });
    die();
  }
  return spawnSync(command, args, options);
};

const spawn = childProcess.spawn;
childProcess.spawn = (command, ...rest) => {
  if (!command.endsWith('/logger') && isLast('before')) die();
  return spawn(command, ...rest);
};

/** The others read all their lines first, and then do everything or nothing. */
const isPiecemeal = command => ['ip', 'ipset'].includes(command);

const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  if (isLast('before')) die();
  return kill(pid, signal);
};
