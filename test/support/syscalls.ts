import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import type { Machine } from '../lab/machine.ts';
import { octets } from './octets.ts';

/**
 * The system calls by which a test has sockets in a machine's network namespace without leaving its own process:
 * a socket belongs to the namespace in which it was made, whoever uses it. So raw packets need no tool, and a
 * flood no second process.
 */
const libc = koffi.load('libc.so.6');
const calls = {
  setns: libc.func('int setns(int fd, int type)'),
  socket: libc.func('int socket(int family, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, unsigned int length)'),
  connect: libc.func('int connect(int fd, const void *address, unsigned int length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  accept: libc.func('int accept4(int fd, void *address, void *length, int flags)'),
  setOption: libc.func('int setsockopt(int fd, int level, int name, const void *value, unsigned int length)'),
  send: libc.func('long send(int fd, const void *data, unsigned long length, int flags)'),
  receive: libc.func('long recv(int fd, void *data, unsigned long length, int flags)'),
  index: libc.func('unsigned int if_nametoindex(const char *name)'),
} as const;

const CLONE_NEWNET = 0x40000000;
const [AF_INET6, AF_PACKET] = [10, 17];
const KIND = { tcp: 1, udp: 2, raw: 3 } as const;
/** SOCK_NONBLOCK and SOCK_CLOEXEC. */
const FLAGS = 0o4000 | 0o2000000;
/** MSG_NOSIGNAL: a peer that has gone is an answer, not the end of the test. */
const NO_SIGNAL = 0x4000;
/** ETH_P_ALL, in network order. */
const ALL_PROTOCOLS = 0x0300;
const { EAGAIN, EINPROGRESS, EALREADY, EISCONN } = koffi.os.errno as Record<string, number>;
const [SOL_SOCKET, SO_REUSEADDR, SO_RCVBUF] = [1, 2, 8];

/** Does something synchronous as if in the machine's network namespace, and comes back whatever happens. */
function within<T>({ netns }: Machine, work: () => T): T {
  const [home, there] = [openSync('/proc/thread-self/ns/net', 'r'), openSync(netns, 'r')];
  try {
    check('setns', calls.setns(there, CLONE_NEWNET));
    return work();
  } finally {
    calls.setns(home, CLONE_NEWNET);
    closeSync(there);
    closeSync(home);
  }
}

function check(what: string, result: number, ...fine: (number | undefined)[]): number {
  if (result < 0 && !fine.includes(koffi.errno())) throw new Error(`Cannot ${what}: errno ${koffi.errno()}`);
  return result;
}

export interface Place {
  readonly ip: string;
  readonly port: number;
}

/** struct sockaddr_in6: a socket of IPv6 speaks IPv4 too, with addresses mapped into it (RFC 4291, 2.5.5.2). */
function inetAddress({ ip, port }: Place): Buffer {
  const address = Buffer.alloc(28);
  address.writeUInt16LE(AF_INET6, 0);
  address.writeUInt16BE(port, 2);
  const bytes = octets(ip);
  address.set(bytes.length === 16 ? bytes : [...octets('::ffff:0:0').slice(0, 12), ...bytes], 8);
  return address;
}

/** struct sockaddr_ll */
function linkAddress(index: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16LE(ALL_PROTOCOLS, 2);
  address.writeInt32LE(index, 4);
  return address;
}

const bindTo = (fd: number, address: Buffer): number =>
  check('bind', calls.bind(fd, address, address.length));

/** What is open: a socket keeps its namespace alive, and with it the machine's cables. */
const open = new Set<Socket>();

export function closeSockets(): void {
  for (const socket of open) socket.close();
}

/** A socket that never blocks, with everything a test does with it. */
export class Socket {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(65_536);

  private constructor(fd: number) {
    this.#fd = check('make a socket', fd);
    open.add(this);
  }

  /** All frames of a device, in and out, and a way to send any. */
  static raw(machine: Machine, device: string): Socket {
    return within(machine, () => {
      const socket = new Socket(calls.socket(AF_PACKET, KIND.raw | FLAGS, ALL_PROTOCOLS));
      bindTo(socket.#fd, linkAddress(calls.index(device)));
      socket.#option(SO_RCVBUF, 4 << 20);
      return socket;
    });
  }

  static inet(machine: Machine, kind: 'tcp' | 'udp', local?: Place): Socket {
    return within(machine, () => {
      const socket = new Socket(calls.socket(AF_INET6, KIND[kind] | FLAGS, 0));
      socket.#option(SO_REUSEADDR, 1);
      if (local !== undefined) bindTo(socket.#fd, inetAddress(local));
      return socket;
    });
  }

  listen(): void {
    check('listen', calls.listen(this.#fd, 16));
  }

  /** A connection that has come in, if one has. */
  accept(): Socket | undefined {
    const fd = check('accept', calls.accept(this.#fd, null, null, FLAGS), EAGAIN);
    return fd < 0 ? undefined : new Socket(fd);
  }

  /** Begins to connect, or asks whether it has come about. */
  connect(remote: Place): boolean {
    const address = inetAddress(remote);
    const result = calls.connect(this.#fd, address, address.length);
    const error = koffi.errno();
    if (result === 0 || error === EISCONN) return true;
    return check('connect', result, EINPROGRESS, EALREADY) === 0;
  }

  /** Whether the kernel took it; a refusal by the peer shows here with UDP. */
  send(data: Uint8Array): boolean {
    return calls.send(this.#fd, data, data.length, NO_SIGNAL) === data.length;
  }

  /** The next piece that has arrived, if any. */
  receive(): Buffer | undefined {
    const length = calls.receive(this.#fd, this.#buffer, this.#buffer.length, 0);
    return length <= 0 ? undefined : Buffer.from(this.#buffer.subarray(0, length));
  }

  close(): void {
    if (open.delete(this)) closeSync(this.#fd);
  }

  #option(name: number, value: number): void {
    const buffer = Buffer.alloc(4);
    buffer.writeInt32LE(value);
    check('set an option', calls.setOption(this.#fd, SOL_SOCKET, name, buffer, 4));
  }
}
