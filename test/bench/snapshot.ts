/** hooks/program.ts as a startup snapshot wants it: everything loaded, and a function to go on from there. */
import { startupSnapshot } from 'node:v8';
import { readXml } from '../../hooks/input.ts';
import { hook } from '../../src/lifecycle/hook.ts';

startupSnapshot.setDeserializeMainFunction(() => {
  const { code, message } = hook(process.argv[3] ?? '', readXml());
  if (message !== undefined) process.stderr.write(`${message}\n`);
  process.exitCode = code;
});
