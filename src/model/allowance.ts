/** What each bridge may send: so many packets, and as many again in each period, in seconds. */
export interface Allowance {
  readonly packets: number;
  readonly seconds: number;
}
