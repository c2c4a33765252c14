/**
 * `install.sh --demo`: hnet on a real libvirt with real VMs, in a lab; with the word `cluster` on several hosts. Every command
 * is shown as it is run and with its own output, and the first that doesn't do what it should ends the demo.
 */

import { cluster } from './cluster.ts';
import { oneHost } from './one-host.ts';
import { begun, paint, seconds } from './terminal.ts';

const demo = process.argv[2] === 'cluster' ? cluster : oneHost;

// Whoever read along has left (`| head`): then so do we, and the lab with us.
process.stdout.on('error', () => process.exit(1));
demo().catch((error: Error) => {
  console.error(`\n${paint(31, '✗')} The demo failed after ${seconds(begun)}: ${error.message}`);
  // The lab is removed as the process leaves; waiting for what still runs in it would only delay that.
  process.exit(1);
});
