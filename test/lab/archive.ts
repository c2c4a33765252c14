import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import { serve } from './serve.ts';
import { INTERNET } from './site.ts';

const PORT = 3128;

/**
 * Opens a proxy on the lab's Internet by which machines' apt reaches the archives that it is set to, and nothing else of
 * the outside. It ends with the lab.
 * @param dir the lab's directory
 */
export function openArchive(dir: string, internet: Machine): Promise<void> {
  return serve(join(dir, 'archive.sock'), { machine: internet, address: INTERNET, port: PORT }, fetchFor);
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
