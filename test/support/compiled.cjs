/**
 * Loaded before a test's own program, keeps what V8 has made of it for the next run, as hnet does for itself
 * (src/host/compiled.ts): a third of its time goes into reading and compiling it.
 */
const { createHash, randomUUID } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const Module = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

/** The machines of a lab share it. */
const DIRECTORY = '/var/cache/hnet-tests';

Module.prototype._compile = function compile(content, filename) {
  // Each command needs other functions. V8 itself tells programs of one length from each other by their name alone.
  const command = process.argv.slice(2).find(word => /^[a-z]+$/.test(word)) ?? '';
  const path = `${DIRECTORY}/${createHash('sha1').update(content).digest('hex')}-${command}`;
  const script = new Script(Module.wrap(content), { filename, cachedData: read(path) });
  if (script.cachedDataRejected !== false) process.once('exit', () => keep(path, script));
  return script
    .runInThisContext()
    .call(this.exports, this.exports, Module.createRequire(filename), this, filename, dirname(filename));
};

function read(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function keep(path, script) {
  try {
    mkdirSync(DIRECTORY, { recursive: true });
    // Not by the process's number: machines of a lab number theirs alike.
    const half = `${path}.${randomUUID()}`;
    writeFileSync(half, script.createCachedData());
    renameSync(half, path);
  } catch {
    // A full disk, as some tests have it.
  }
}
