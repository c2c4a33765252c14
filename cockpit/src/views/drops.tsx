import { visible } from '../../../src/model/refusal.ts';
import type { Counter } from '../model/lines.ts';
import { bytes, count } from '../parts/amount.ts';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

/** What the whole host dropped since its filter was set up, the most frequent cause first. */
export function Drops({ dropped }: { readonly dropped: Readonly<Record<string, Counter>> }) {
  const causes = Object.entries(dropped)
    .filter(([, { packets }]) => packets > 0)
    .toSorted(([, a], [, b]) => b.packets - a.packets);
  return (
    <Section title={texts.topology.drops} level="h2">
      {causes.length === 0 && <p className="hnet-subtle">{texts.topology.noDrops}</p>}
      <ul className="hnet-drops" aria-label={texts.topology.drops}>
        {causes.map(([cause, { packets, bytes: size }]) => (
          <li key={cause}>
            <span>{visible(cause)}</span>
            <strong>{texts.topology.dropped(packets, count(packets), bytes(size))}</strong>
          </li>
        ))}
      </ul>
    </Section>
  );
}
