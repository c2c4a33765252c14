import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { Background } from './background.ts';
import type { Machine } from './machine.ts';
import { ENVIRONMENT } from './run.ts';
import { PATIENCE } from './wait.ts';

/** Where in the lab it is reached. */
export interface Desk {
  readonly machine: Machine;
  readonly address: string;
  readonly port: number;
}

/** Runs in the network of the machine; the socket that it hands everything to is a file, which no network confines. */
const RELAY = `const { connect, createServer } = require('node:net');
const [path, port, address] = process.argv.slice(1);
createServer(client => {
  const server = connect(path);
  for (const [one, other] of [[client, server], [server, client]]) one.pipe(other).on('error', () => one.destroy());
}).listen(Number(port), address, () => console.log('relays'));`;

/**
 * Answers HTTP on a machine of the lab out of this process. It ends with the lab.
 * @param socket where the file may be made
 */
export async function serve(socket: string, desk: Desk, answer: RequestListener): Promise<void> {
  const server = createServer(answer).listen(socket);
  await once(server, 'listening');
  server.unref();
  const inNetwork = ['nsenter', `--net=${desk.machine.netns}`];
  const relay = [process.execPath, '-e', RELAY, socket, `${desk.port}`, desk.address];
  await new Background([...inNetwork, ...relay], ENVIRONMENT).until(/relays/, PATIENCE);
}
