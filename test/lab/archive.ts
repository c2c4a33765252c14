import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Background } from './background.ts';
import type { Machine } from './machine.ts';
import { ENVIRONMENT } from './run.ts';
import { INTERNET } from './site.ts';
import { PATIENCE } from './wait.ts';

const PORT = 3128;

/** Runs in the network of the lab's Internet; the socket that it hands everything to is a file, which no network confines. */
const RELAY = `const { connect, createServer } = require('node:net');
const [path, port, address] = process.argv.slice(1);
createServer(client => {
  const server = connect(path);
  for (const [one, other] of [[client, server], [server, client]]) one.pipe(other).on('error', () => one.destroy());
}).listen(Number(port), address, () => console.log('relays'));`;

/**
 * Opens a proxy on the lab's Internet by which machines' apt reaches the archives that it is set to, and nothing else of
 * the outside. This process is the proxy. It ends with the lab.
 * @param dir the lab's directory
 */
export async function openArchive(dir: string, internet: Machine): Promise<void> {
  const path = join(dir, 'archive.sock');
  const server = createServer(fetchFor).listen(path);
  await once(server, 'listening');
  server.unref();
  const argv = [
    'nsenter',
    `--net=${internet.netns}`,
    process.execPath,
    '-e',
    RELAY,
    path,
    `${PORT}`,
    INTERNET,
  ];
  await new Background(argv, ENVIRONMENT).until(/relays/, PATIENCE);
}

/** What tells a machine's apt. */
export const ARCHIVE_SETTING = `Acquire::http::Proxy "http://${INTERNET}:${PORT}";\n`;

/** A proxy is asked with the whole address. */
function fetchFor({ url = '', method, headers }: IncomingMessage, answer: ServerResponse): void {
  const asking = request(url, { method, headers }, found => {
    answer.writeHead(found.statusCode ?? 502, found.headers);
    found.pipe(answer);
  });
  asking.on('error', error => answer.writeHead(502).end(error.message));
  asking.end();
}
