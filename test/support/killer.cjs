/**
 * Loaded before a program, kills it with SIGKILL at its nth step. A step is a call that changes something, or starts a
 * command: so the steps are those that the program really takes, whatever they are. Before the nth is after the one
 * before it. In the mode `between` the steps are the lines of commands that carry out one line after the other, and
 * the nth has been carried out when all ends.
 */
const childProcess = require('node:child_process');
const fs = require('node:fs');

const [mode, nth] = (process.env.HNET_KILL ?? '').split(' ');
const die = process.kill.bind(process, process.pid, 'SIGKILL');
let steps = 0;

/** Counts a step, and tells whether it is the one. */
function isLast(kind) {
  if (kind === mode) steps += 1;
  return kind === mode && steps === Number(nth);
}

for (const name of ['mkdirSync', 'writeFileSync', 'renameSync', 'symlinkSync', 'rmSync']) {
  const real = fs[name];
  fs[name] = (...args) => {
    if (isLast('before')) die();
    return real(...args);
  };
}

const spawnSync = childProcess.spawnSync;
childProcess.spawnSync = (command, args, options) => {
  if (isLast('before')) die();
  const lines = isPiecemeal(command, args) ? options.input.split('\n').filter(line => line !== '') : [];
  for (let count = 1; count < lines.length; count++) {
    if (!isLast('between')) continue;
    spawnSync(command, args, { ...options, input: `${lines.slice(0, count).join('\n')}\n` });
    die();
  }
  return spawnSync(command, args, options);
};

/** The others read all their lines first, and then do everything or nothing. */
const isPiecemeal = (command, args) =>
  (command === 'ip' && args.includes('-batch') && !args.includes('-json')) || command === 'ipset';

const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  if (isLast('before')) die();
  return kill(pid, signal);
};
