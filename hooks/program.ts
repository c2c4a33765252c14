import { readFileSync } from 'node:fs';
import { hook } from '../src/hook.ts';

// libvirt calls `qemu NAME OPERATION begin|end …`; the name is in the XML too, and there it is certain.
const { code, message } = hook(process.argv[3] ?? '', readXml());
if (message !== undefined) process.stderr.write(`${message}\n`);
// At once: taking its heap apart costs node some milliseconds.
process.exit(code);

/** The gate has read the beginning, and hands it on by itself. */
function readXml(): string {
  const rest = process.env['HNET_REST'];
  return readFileSync(0, 'utf8') + (rest === undefined ? '' : readFileSync(Number(rest), 'utf8'));
}
