/**
 * Loaded before a program, kills it with SIGKILL at its nth step. A step is a call that changes something, or starts a
 * command: so the steps are those that the program really takes, whatever they are. Before the
 * nth is after the one before it; in the mode `half` the steps are the commands that read several lines, and the nth
 * has read the first half of them.
 */
const childProcess = require('node:child_process');
const fs = require('node:fs');

const { nth, mode } = JSON.parse(fs.readFileSync('/run/lab/kill.json', 'utf8'));
const die = process.kill.bind(process, process.pid, 'SIGKILL');
let steps = 0;

/** Counts a step, and tells whether it is the one. */
function isLast(kind) {
  if (kind === mode) steps += 1;
  return kind === mode && steps === nth;
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
  const lines = (options?.input ?? '').split('\n');
  if (lines.length > 2 && isLast('half')) {
    spawnSync(command, args, { ...options, input: `${lines.slice(0, lines.length / 2).join('\n')}\n` });
    die();
  }
  return spawnSync(command, args, options);
};

const kill = process.kill.bind(process);
process.kill = (pid, signal) => {
  if (isLast('before')) die();
  return kill(pid, signal);
};
