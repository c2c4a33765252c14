import { hook } from '../src/lifecycle/hook.ts';
import { readXml } from './input.ts';

// libvirt calls `qemu NAME OPERATION begin|end …`; the name is in the XML too, and there it is certain.
const { code, message } = hook(process.argv[3] ?? '', readXml());
if (message !== undefined) process.stderr.write(`${message}\n`);
// At once: taking its heap apart costs Node some milliseconds.
process.exit(code);
