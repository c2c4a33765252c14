import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { ethernet } from './packets.ts';
import { Socket } from './syscalls.ts';

/**
 * A machine's end of a cable: sends frames as they are, and sees all that come. A packet is known again by a word
 * in its payload; that one does NOT arrive is seen by what was sent after it.
 */
export class Wire {
  readonly #socket: Socket;
  readonly #own: string;
  readonly #peer: string;
  #frames: Buffer[] = [];

  private constructor(socket: Socket, own: string, peer: string) {
    this.#socket = socket;
    this.#own = own;
    this.#peer = peer;
  }

  /** @param peer the MAC of who is at the other end */
  static async open(machine: Machine, device: string, peer: string): Promise<Wire> {
    const own = await machine.read(`/sys/class/net/${device}/address`);
    return new Wire(Socket.raw(machine, device), own.trim(), peer);
  }

  send(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.sendFrame(ethernet(this.#peer, this.#own, packet));
  }

  sendFrame(frame: Uint8Array): void {
    if (!this.#socket.send(frame)) throw new Error('Cannot send a frame');
  }

  /** How many frames with this word in them have come by since the last {@link forget}. */
  count(word: string | Buffer): number {
    return this.frames().filter(frame => frame.includes(word)).length;
  }

  frames(): readonly Buffer[] {
    for (let frame = this.#socket.receive(); frame !== undefined; frame = this.#socket.receive())
      this.#frames.push(frame);
    return this.#frames;
  }

  forget(): void {
    this.frames();
    this.#frames = [];
  }

  async until(word: string | Buffer, limit = PATIENCE): Promise<void> {
    await until(() => this.count(word) > 0, limit, `a packet with ${JSON.stringify(String(word))}`);
  }

  close(): void {
    this.#socket.close();
  }
}
