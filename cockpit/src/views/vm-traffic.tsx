import { useId } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { graphOf } from '../model/graph.ts';
import type { DomainShown } from '../model/lines.ts';
import type { Seen } from '../model/seen.ts';
import { rate } from '../parts/amount.ts';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

const SIZE = { width: 600, height: 160 };
const LINES = [0, 0.5, 1] as const;

/** The traffic of the last minutes: towards the VM, and from it. */
export function VmTraffic({ seen, domain }: { readonly seen: Seen; readonly domain: DomainShown }) {
  const title = useId();
  const addresses = domain.addresses.map(({ address }) => address);
  const graph = graphOf(seen.samples, domain.uuid, addresses, SIZE);
  return (
    <Section title={texts.vm.traffic}>
      <p className="hnet-row">
        <span className="hnet-key" data-way="in">
          ↓ {texts.overview.in} <strong>{rate(graph.latest.in)}</strong>
        </span>
        <span className="hnet-key" data-way="out">
          ↑ {texts.overview.out} <strong>{rate(graph.latest.out)}</strong>
        </span>
      </p>
      {graph.in === '' ? (
        <p className="hnet-subtle">{texts.vm.collecting}</p>
      ) : (
        <svg className="hnet-graph" viewBox="-112 -16 724 204" role="img" aria-labelledby={title}>
          <title id={title}>{texts.vm.trafficOf(visible(domain.domain))}</title>
          {LINES.map(part => {
            const y = SIZE.height * (1 - part);
            return (
              <g key={part}>
                <line className="hnet-axis" x1="0" x2={SIZE.width} y1={y} y2={y} />
                <text className="hnet-tick" x="-8" y={y + 4} textAnchor="end">
                  {part === 0 ? '0' : rate(graph.top * part)}
                </text>
              </g>
            );
          })}
          <path className="hnet-line" data-way="in" d={graph.in} />
          <path className="hnet-line" data-way="out" d={graph.out} />
          <text className="hnet-tick" x="0" y="180">
            {texts.vm.minutes(Math.max(1, Math.round(graph.seconds / 60)))}
          </text>
        </svg>
      )}
    </Section>
  );
}
