/** hooks/qemu.ts as a startup snapshot wants it: everything loaded, and a function to go on from there. */
import { readFileSync } from 'node:fs';
import { startupSnapshot } from 'node:v8';
import { hook } from '../../src/hook.ts';

startupSnapshot.setDeserializeMainFunction(() => {
  const { code, message } = hook(process.argv[3] ?? '', readFileSync(0, 'utf8'));
  if (message !== undefined) process.stderr.write(`${message}\n`);
  process.exitCode = code;
});
