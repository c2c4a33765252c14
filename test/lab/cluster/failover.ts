import type { IncomingMessage, ServerResponse } from 'node:http';
import { BlockList } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../host.ts';
import type { Lab } from '../lab.ts';
import { serve } from '../serve.ts';
import { INTERNET, isIpv6 } from '../site.ts';

const PORT = 8080;

/** What a customer has written for his provider: it asks, waits, and fails unless the provider says that it's done. */
export const COMMAND = `#!/bin/bash
set -eu
exec 3<>/dev/tcp/${INTERNET}/${PORT}
printf 'GET /move?address=%s&host=%s HTTP/1.0\\r\\n\\r\\n' "$1" "$2" >&3
read -r _ code rest <&3
[ "$code" = 200 ] || { echo "the provider answered $code $rest" >&2; exit 1; }
`;

/** A call of the provider's API, as it came. */
export interface Call {
  readonly address: string;
  readonly host: string;
}

/** The provider's API for failover addresses: it routes the whole pool that an address is in to a host, and takes its time. */
export class Failover {
  /** Every call so far, refused ones too. */
  readonly calls: Call[] = [];
  /** How many of the next calls are refused with an error of the server's. */
  refuse = 0;
  /** In milliseconds: how long it takes until a pool is moved, and the call is answered. */
  delay = 1000;
  /** What an answer waits for as well. */
  hold: Promise<unknown> = Promise.resolve();
  readonly #lab: Lab;
  readonly #hosts: readonly Host[];
  readonly #pools: readonly string[];

  private constructor(lab: Lab, hosts: readonly Host[], pools: readonly string[]) {
    this.#lab = lab;
    this.#hosts = hosts;
    this.#pools = pools;
  }

  static async create(lab: Lab, hosts: readonly Host[], pools: readonly string[]): Promise<Failover> {
    const api = new Failover(lab, hosts, pools);
    const desk = { machine: lab.internet, address: INTERNET, port: PORT };
    await serve(join(lab.dir, 'failover.sock'), desk, (asked, answer) => api.#answer(asked, answer));
    return api;
  }

  async #answer({ url = '' }: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { searchParams } = new URL(url, 'http://provider');
    const call = { address: searchParams.get('address') ?? '', host: searchParams.get('host') ?? '' };
    this.calls.push(call);
    const host = this.#hosts.find(({ name }) => name === call.host);
    const pool = this.#pools.find(each => holds(each, call.address));
    if (host === undefined || pool === undefined) {
      answer.writeHead(404).end();
      return;
    }
    if (this.refuse > 0) {
      this.refuse -= 1;
      answer.writeHead(503).end();
      return;
    }
    await Promise.all([sleep(this.delay), this.hold]);
    await this.#lab.route(pool, host);
    answer.writeHead(200).end();
  }
}

/** Also where a domain's whole prefix is named. */
function holds(pool: string, named: string): boolean {
  const [address = ''] = named.split('/');
  const family = isIpv6(pool) ? 'ipv6' : 'ipv4';
  const [network = '', length = family === 'ipv6' ? '128' : '32'] = pool.split('/');
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, isIpv6(address) ? 'ipv6' : 'ipv4');
}
