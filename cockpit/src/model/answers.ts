/** What the page reads of hnet's answers, as docs/schema has them. */
import * as v from 'valibot';

const text = v.string();

/** Of a change: assign, unassign, move, firewall, sync. */
export const CHANGE = v.object({
  changed: v.boolean(),
  changes: v.array(v.object({ is: text, domain: v.nullable(text), what: text })),
  warnings: v.array(text),
});
export type Change = v.InferOutput<typeof CHANGE>;

/** Of whatever answers nothing that the page shows. */
export const DONE = v.object({ warnings: v.array(text) });

export const HISTORY = v.object({
  since: v.nullable(text),
  entries: v.array(
    v.object({
      at: text,
      is: text,
      address: text,
      domain: text,
      uuid: text,
      from: v.nullable(v.object({ domain: text })),
    }),
  ),
});
export type HistoryEntry = v.InferOutput<typeof HISTORY>['entries'][number];

export const GUEST = v.object({
  formats: v.array(v.object({ format: text, files: v.array(v.object({ path: text, text })) })),
  warnings: v.array(text),
});

export const REACH = v.object({
  finding: v.nullable(v.object({ cause: text, address: v.nullable(text), saw: text, mend: text })),
  warnings: v.array(text),
});

export const INIT = v.object({
  changed: v.boolean(),
  config: text,
  uplinks: v.array(
    v.object({
      devices: v.array(text),
      address: v.nullable(text),
      gateway: v.nullable(text),
      pools: v.array(text),
      delivery: v.object({ ipv4: v.nullable(text), ipv6: v.nullable(text) }),
    }),
  ),
  warnings: v.array(text),
});
export type Init = v.InferOutput<typeof INIT>;
