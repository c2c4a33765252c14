/** Frames on an interface's wire, as they are: before every filter, and past routing. No tool is needed for it. */
import { closeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { CALLER } from '../model/names.ts';
import { Refusal, reason } from '../model/refusal.ts';
import { readIfThere } from './files.ts';

/** A frame, and whether this host sent it. */
interface Passing {
  readonly bytes: Buffer;
  readonly out: boolean;
}

const CALLS = {
  socket: 'int socket(int family, int type, int protocol)',
  bind: 'int bind(int fd, const void *address, unsigned int length)',
  attach: 'int setsockopt(int fd, int level, int name, const Program *program, unsigned int length)',
  send: 'long send(int fd, const void *data, unsigned long length, int flags)',
  receive:
    'long recvfrom(int fd, _Out_ void *data, unsigned long length, int flags, _Out_ void *from, _Inout_ unsigned int *size)',
} as const;

type Call = (...args: readonly unknown[]) => number;
type Library = Readonly<Record<keyof typeof CALLS, Call>> & { readonly errno: () => number };

const [AF_PACKET, SOCK_RAW] = [17, 3];
/** SOCK_NONBLOCK and SOCK_CLOEXEC. */
const FLAGS = 0o4000 | 0o2000000;
/** ETH_P_ALL, in network order. */
const ALL_PROTOCOLS = 0x0300;
const [SOL_SOCKET, SO_ATTACH_FILTER] = [1, 26];
/** struct sockaddr_ll: where the kind of a packet is, and which kind is one that went out. */
const ADDRESS = { length: 20, index: 4, kind: 10, outgoing: 4 } as const;
/** More than is ever looked at of one frame. */
const LENGTH = 2048;
/** ARPHRD_ETHER: other links have other headers, or none. */
const ETHERNET = '1';

/** Where a step of {@link PROGRAM} goes on: with the next one, at the end that keeps a frame or skips it, or at a mark. */
type Target = 'next' | 'keep' | 'skip' | 'not tcp' | 'ipv6';
interface Step {
  readonly code: number;
  readonly operand: number;
  readonly yes?: Target;
  readonly no?: Target;
  readonly mark?: Target;
}

/** Instructions of the kernel's packet filter (linux/bpf_common.h): read two bytes or one; compare what was read. */
const [HALF, BYTE, EQUAL, HAS_BITS, RETURN] = [0x28, 0x30, 0x15, 0x45, 0x06];
/** Read the length of an IPv4 header, and two bytes that far behind a place. */
const [HEADER_LENGTH, HALF_BEHIND] = [0xb1, 0x48];
const is = (operand: number, yes: Target, no: Target = 'next'): Step => ({ code: EQUAL, operand, yes, no });

/**
 * What the kernel lets through to us, so that a busy uplink costs nothing: ARP, ICMP, ICMPv6, DHCP and DHCPv6, and what is
 * sent to {@link CALLER}.
 */
const PROGRAM: readonly Step[] = [
  { code: HALF, operand: 12 },
  is(0x0806, 'keep'),
  is(0x0800, 'next', 'ipv6'),
  { code: BYTE, operand: 23 },
  is(1, 'keep'),
  is(6, 'next', 'not tcp'),
  { code: HALF, operand: 20 },
  { code: HAS_BITS, operand: 0x1fff, yes: 'skip' },
  { code: HEADER_LENGTH, operand: 14 },
  { code: HALF_BEHIND, operand: 16 },
  is(CALLER, 'keep', 'skip'),
  { ...is(17, 'next', 'skip'), mark: 'not tcp' },
  // Only the first fragment has ports.
  { code: HALF, operand: 20 },
  { code: HAS_BITS, operand: 0x1fff, yes: 'skip' },
  { code: HEADER_LENGTH, operand: 14 },
  { code: HALF_BEHIND, operand: 16 },
  is(67, 'keep'),
  is(68, 'keep', 'skip'),
  { ...is(0x86dd, 'next', 'skip'), mark: 'ipv6' },
  { code: BYTE, operand: 20 },
  is(58, 'keep'),
  is(17, 'next', 'skip'),
  { code: HALF, operand: 56 },
  is(546, 'keep'),
  is(547, 'keep', 'skip'),
  { code: RETURN, operand: 0, mark: 'skip' },
  { code: RETURN, operand: LENGTH, mark: 'keep' },
];

/** The program as the kernel takes it: a jump is a number of steps to pass over. */
const steps = PROGRAM.map(({ code, operand, yes = 'next', no = 'next' }, place) => {
  const over = (target: Target): number =>
    target === 'next' ? 0 : PROGRAM.findIndex(({ mark }) => mark === target) - place - 1;
  return { code, yes: over(yes), no: over(no), operand };
});

let loaded: Library | undefined;

function load(): Library {
  try {
    // koffi is a native addon, which can't be bundled.
    const koffi = createRequire(__filename)('koffi') as typeof import('koffi');
    const libc = koffi.load('libc.so.6');
    koffi.struct('Step', { code: 'uint16', yes: 'uint8', no: 'uint8', operand: 'uint32' });
    koffi.struct('Program', { length: 'uint16', steps: 'Step *' });
    const calls = Object.entries(CALLS).map(([name, prototype]) => [name, libc.func(prototype)]);
    return { ...Object.fromEntries(calls), errno: koffi.errno } as Library;
  } catch (error) {
    throw new Refusal(`the library for it can't be loaded: ${reason(error)}`);
  }
}

/** One interface's frames, of the kinds of which {@link PROGRAM} lets through. It never blocks. */
export class Wire {
  readonly #library: Library;
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(LENGTH);
  readonly #from = Buffer.alloc(ADDRESS.length);

  private constructor(library: Library, fd: number) {
    this.#library = library;
    this.#fd = fd;
  }

  /** @throws Refusal if frames can't be had there, and why */
  static open(device: string): Wire {
    const read = (name: string): string => readIfThere(`/sys/class/net/${device}/${name}`)?.trim() ?? '';
    if (read('type') !== ETHERNET) throw new Refusal(`${device} is no Ethernet interface`);
    loaded ??= load();
    const library = loaded;
    const check = (what: string, result: number): number => {
      if (result >= 0) return result;
      throw new Refusal(`${what} fails on ${device}: error ${library.errno()}`);
    };
    // With no protocol it gets nothing until it has its filter and its interface.
    const fd = check('a socket', library.socket(AF_PACKET, SOCK_RAW | FLAGS, 0));
    const wire = new Wire(library, fd);
    try {
      check(
        'its filter',
        library.attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, { length: steps.length, steps }, 16),
      );
      const address = Buffer.alloc(ADDRESS.length);
      address.writeUInt16LE(AF_PACKET, 0);
      address.writeUInt16LE(ALL_PROTOCOLS, 2);
      address.writeInt32LE(Number(read('ifindex')), ADDRESS.index);
      check('to listen', library.bind(fd, address, address.length));
      return wire;
    } catch (error) {
      wire.close();
      throw error;
    }
  }

  /** Sends a frame past routing and filters. One that the interface doesn't take is lost, as on any wire. */
  send(bytes: Uint8Array): void {
    this.#library.send(this.#fd, bytes, bytes.length, 0);
  }

  /** What has come by since the last call. */
  *received(): Generator<Passing> {
    for (;;) {
      const size = [ADDRESS.length];
      const length = this.#library.receive(this.#fd, this.#buffer, LENGTH, 0, this.#from, size);
      if (length < 0) return;
      yield {
        bytes: Buffer.from(this.#buffer.subarray(0, length)),
        out: this.#from[ADDRESS.kind] === ADDRESS.outgoing,
      };
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
