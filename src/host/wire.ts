/** An interface's wire: frames are sent and seen as they are, past the host's own addresses, routes and filters. */
import { createRequire } from 'node:module';
import { ifPossible } from '../model/refusal.ts';
import { waitFor } from './wait.ts';

type Call = (...args: readonly unknown[]) => number;

/** A packet socket of the kernel (packet(7)). It changes nothing on the host, and is gone with the process. */
export interface Wire {
  readonly send: (frame: Uint8Array) => void;
  /** Whether such a frame arrives within so many milliseconds. */
  readonly sees: (isIt: (frame: Buffer) => boolean, limit: number) => boolean;
  readonly close: () => void;
}

const [AF_PACKET, SOCK_RAW] = [17, 3];
/** SOCK_NONBLOCK and SOCK_CLOEXEC. */
const FLAGS = 0o4000 | 0o2000000;
const IPV6 = 0x86dd;
const LONGEST = 65_536;

/**
 * Opens the wire for IPv6, by calls of the C library, because Node has none.
 * @param index the interface's number
 * @returns undefined where koffi can't be loaded, or the kernel refuses
 */
export function openWire(index: number): Wire | undefined {
  const libc = load();
  if (libc === undefined) return undefined;
  const protocol = ((IPV6 & 0xff) << 8) | (IPV6 >> 8);
  const descriptor = libc.socket(AF_PACKET, SOCK_RAW | FLAGS, protocol);
  if (descriptor < 0) return undefined;
  // struct sockaddr_ll
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16LE(protocol, 2);
  address.writeInt32LE(index, 4);
  if (libc.bind(descriptor, address, address.length) < 0) {
    libc.close(descriptor);
    return undefined;
  }
  const buffer = Buffer.alloc(LONGEST);
  const next = (): Buffer | undefined => {
    const length = libc.recv(descriptor, buffer, LONGEST, 0);
    return length < 0 ? undefined : buffer.subarray(0, length);
  };
  return {
    send: frame => void libc.send(descriptor, frame, frame.length, 0),
    sees: (isIt, limit) =>
      waitFor(() => {
        for (let frame = next(); frame !== undefined; frame = next()) if (isIt(frame)) return true;
        return false;
      }, limit),
    close: () => void libc.close(descriptor),
  };
}

function load(): Readonly<Record<'socket' | 'bind' | 'send' | 'recv' | 'close', Call>> | undefined {
  return ifPossible(() => {
    const koffi: typeof import('koffi') = createRequire(__filename)('koffi');
    const libc = koffi.load('libc.so.6');
    const call = (declaration: string): Call => libc.func(declaration) as unknown as Call;
    return {
      socket: call('int socket(int family, int type, int protocol)'),
      bind: call('int bind(int fd, const void *address, unsigned int length)'),
      send: call('long send(int fd, const void *data, unsigned long length, int flags)'),
      recv: call('long recv(int fd, _Out_ void *data, unsigned long length, int flags)'),
      close: call('int close(int fd)'),
    };
  });
}
