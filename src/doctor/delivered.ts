/** What is sent to it comes here by itself; the gateway looks for it on the wire, and nobody answers; neither is seen. */
export type Delivered = 'arrives' | 'sought' | 'lost';

/** The interface by which is asked, and others by which an answer may come. */
export type Devices = readonly [string, ...string[]];
