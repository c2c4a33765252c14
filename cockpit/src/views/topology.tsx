import { useId, useMemo } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { NODE_HEIGHT } from '../model/layout.ts';
import type { HostState, Rate, Seen } from '../model/seen.ts';
import { type Link, type Node, type Picture, pictureOf } from '../model/topology.ts';
import { rate } from '../parts/amount.ts';
import { useNarrow } from '../parts/narrow.ts';
import { hrefOf } from '../parts/place.ts';
import { texts } from '../texts.ts';
import { Drops } from './drops.tsx';

/** Room around the picture, in its own units. */
const EDGE = 8;
/** How wide a character is at most, of a title and of the lines below it, and how high a line. */
const CHARACTER = { title: 9.4, line: 6.8 };
const LINE = 16;
const LINES = 4;

/** The host as a picture: what hangs on what, how it is, and how much goes through it. */
export function Topology({ seen, state }: { readonly seen: Seen; readonly state: HostState }) {
  const isNarrow = useNarrow();
  const picture = useMemo(() => pictureOf(state, seen, isNarrow), [state, seen, isNarrow]);
  return (
    <>
      <Scene picture={picture} />
      <Drops dropped={seen.counters?.dropped ?? {}} />
    </>
  );
}

function Scene({ picture: { nodes, links, width, height } }: { readonly picture: Picture }) {
  const title = useId();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: who has no mouse scrolls it with the keys
    <section className="hnet-scroll" tabIndex={0} aria-label={texts.topology.scroll}>
      <svg
        className="hnet-topology"
        viewBox={[-EDGE, -EDGE, width + 2 * EDGE, height + 2 * EDGE].join(' ')}
        width={width + 2 * EDGE}
        aria-labelledby={title}
      >
        <title id={title}>{texts.topology.caption}</title>
        {links.map(one => (
          <Wire key={one.id} link={one} />
        ))}
        {nodes.map(one => (
          <Thing key={one.id} node={one} />
        ))}
      </svg>
    </section>
  );
}

const Wire = ({ link: { path, health, weight } }: { readonly link: Link }) => (
  <path className="hnet-wire" data-health={health} d={path} strokeWidth={weight} />
);

/** A thing of the picture; a VM is a link to its own view. */
function Thing({ node }: { readonly node: Node }) {
  const { kind, x, y, width, health, uuid } = node;
  const top = y - NODE_HEIGHT / 2;
  const lines = linesOf(node);
  const first = y - ((lines.length - 1) * LINE) / 2 + 4;
  const thing = (
    <g className="hnet-node" data-kind={kind} data-health={health}>
      <title>{[titleOf(node), ...node.lines, healthWord(kind, health)].join(', ')}</title>
      <rect x={x} y={top} width={width} height={NODE_HEIGHT} rx="8" />
      <rect className="hnet-mark" x={x} y={top} width="6" height={NODE_HEIGHT} rx="3" />
      {lines.map((line, at) => (
        <text
          key={line}
          className={at === 0 ? 'hnet-node-title' : 'hnet-node-line'}
          x={x + 16}
          y={first + at * LINE}
        >
          {short(line, (width - 24) / (at === 0 ? CHARACTER.title : CHARACTER.line))}
        </text>
      ))}
      {health === 'faulty' && (
        <text className="hnet-node-sign" x={x + width - 16} y={top + 22}>
          !
        </text>
      )}
    </g>
  );
  return uuid === undefined ? thing : <a href={hrefOf(uuid)}>{thing}</a>;
}

/** Its name, what belongs to it, as far as there is room, and what goes through it. */
function linesOf(node: Node): string[] {
  const { lines, kind, health, rate: speed, vms } = node;
  const last = [
    ...(kind === 'peer' && health === 'stopped' ? [texts.topology.silent] : []),
    ...(vms === undefined || vms === 0 ? [] : [texts.topology.vms(vms)]),
    ...(speed === undefined || speed.in + speed.out < 1 ? [] : [ratesOf(speed)]),
  ];
  const room = LINES - 1 - last.length;
  // "2 more" alone would say more of what.
  const cut =
    room > 1 ? [...lines.slice(0, room - 1), texts.more(lines.length - room + 1)] : lines.slice(0, room);
  const shown = lines.length > room ? cut : lines;
  return [titleOf(node), ...shown, ...last];
}

const short = (text: string, room: number): string =>
  text.length > room ? `${text.slice(0, Math.floor(room) - 1)}…` : text;

const ratesOf = (speed: Rate): string => `↓ ${rate(speed.in)} ↑ ${rate(speed.out)}`;

/** A host isn't stopped, as a VM is: it gives no sign of life. */
const healthWord = (kind: Node['kind'], health: Node['health']): string =>
  health === 'stopped' && (kind === 'peer' || kind === 'wire') ? texts.topology.silent : texts.health[health];

function titleOf({ kind, title }: Node): string {
  if (kind === 'internet') return texts.topology.internet;
  if (kind === 'host') return texts.topology.host;
  return kind === 'more' ? texts.topology.more(Number(title)) : visible(title);
}
