/** Packets and bytes that the kernel counted. */
export interface Counter {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export const ZERO: Counter = { packets: 0n, bytes: 0n };

export const plus = (a: Counter, b: Counter): Counter => ({
  packets: a.packets + b.packets,
  bytes: a.bytes + b.bytes,
});
