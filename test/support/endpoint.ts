import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { type Place, Socket } from './syscalls.ts';

/** One end of a flow between two machines: a real socket of theirs, driven by the test. */
export class Endpoint {
  readonly #socket: Socket;
  #received = '';

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(text: string): void {
    this.#socket.send(Buffer.from(text));
  }

  /** Everything that has arrived so far. */
  received(): string {
    for (let data = this.#socket.receive(); data !== undefined; data = this.#socket.receive())
      this.#received += data.toString();
    return this.#received;
  }

  async until(text: string): Promise<void> {
    await until(() => this.received().includes(text), PATIENCE, `"${text}" (received: "${this.#received}")`);
  }

  close(): void {
    this.#socket.close();
  }
}

/** The two ends of a flow: who opened it, and who was asked. */
export interface Flow {
  readonly client: Endpoint;
  readonly server: Endpoint;
}

/**
 * A UDP flow; nothing has been sent yet.
 * @param seenAs the client's address where it is translated on the way
 * @param called what the client calls, where somebody translates that
 */
export function udpFlow(
  client: Machine,
  from: Place,
  server: Machine,
  to: Place,
  seenAs = from.ip,
  called = to,
): Flow {
  const end = (machine: Machine, local: Place, remote: Place): Endpoint => {
    const socket = Socket.inet(machine, 'udp', local);
    socket.connect(remote);
    return new Endpoint(socket);
  };
  return { client: end(client, from, called), server: end(server, to, { ...from, ip: seenAs }) };
}

/** Somebody who waits for TCP connections. */
export class Listener {
  readonly #socket: Socket;
  /** Those that {@link begin} made call. */
  readonly #callers: Socket[] = [];
  readonly place: Place;

  constructor(machine: Machine, place: Place) {
    this.place = place;
    this.#socket = Socket.inet(machine, 'tcp', place);
    this.#socket.listen();
  }

  /** A TCP connection; it must come about. @param to what the client calls, where somebody translates that */
  async connect(client: Machine, from?: Place, to = this.place): Promise<Flow> {
    const socket = this.#call(client, from, to);
    await until(() => socket.connect(to), PATIENCE, `a connection to ${to.ip}:${to.port}`);
    const accepted = await until(() => this.#socket.accept(), PATIENCE, 'the connection at the server');
    return { client: new Endpoint(socket), server: new Endpoint(accepted) };
  }

  /** The first segment of a connection, and no more: for where none is expected. */
  begin(client: Machine, from?: Place): Socket {
    const socket = this.#call(client, from);
    this.#callers.push(socket);
    return socket;
  }

  #call(client: Machine, from?: Place, to = this.place): Socket {
    const socket = Socket.inet(client, 'tcp', from);
    socket.connect(to);
    return socket;
  }

  /** Whether somebody has come. */
  hasCaller(): boolean {
    const accepted = this.#socket.accept();
    accepted?.close();
    return accepted !== undefined;
  }

  /** Nor does anybody call any more: TCP repeats the first segment, and a later listener would take it for its caller's. */
  close(): void {
    for (const caller of this.#callers) caller.close();
    this.#socket.close();
  }
}

let exchanges = 0;

/** A word there and a word back, which must both arrive. */
export async function exchange({ client, server }: Flow): Promise<void> {
  exchanges += 1;
  client.send(`question ${exchanges};`);
  await server.until(`question ${exchanges};`);
  server.send(`answer ${exchanges};`);
  await client.until(`answer ${exchanges};`);
}
