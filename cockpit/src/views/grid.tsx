import { type KeyboardEvent, useRef } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { CELL_STATES, type Cell, type CellState, columnsOf } from '../model/pools.ts';
import { useNarrow } from '../parts/narrow.ts';
import { texts } from '../texts.ts';

/** A sign beside the colour, for those who don't tell colours apart. */
const SIGNS: Readonly<Record<CellState, string>> = {
  free: '',
  assigned: '○',
  up: '●',
  faulty: '!',
  reserved: '×',
  moving: '⇄',
  elsewhere: '◇',
};

const IN_CLUSTERS: readonly CellState[] = ['moving', 'elsewhere'];

/** @param isCluster whether there are other hosts that may have addresses */
export function Legend({ isCluster }: { readonly isCluster: boolean }) {
  return (
    <ul className="hnet-legend" aria-label={texts.pools.legend}>
      {CELL_STATES.filter(state => isCluster || !IN_CLUSTERS.includes(state)).map(state => (
        <li key={state}>
          <span className="hnet-cell" data-state={state} aria-hidden="true">
            {SIGNS[state]}
          </span>
          {texts.pools.states[state]}
        </li>
      ))}
    </ul>
  );
}

interface Props {
  readonly label: string;
  readonly cells: readonly Cell[];
  readonly chosen: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

/** A cell for each address. Arrow keys go from one to the next; only one of them is in the order of Tab. */
export function Grid({ label, cells, chosen, onChoose }: Props) {
  const columns = columnsOf(cells.length, useNarrow());
  const place = useRef<HTMLTableElement>(null);
  const lines = Array.from({ length: Math.ceil(cells.length / columns) }, (_, line) =>
    cells.slice(line * columns, (line + 1) * columns),
  );
  const onKeyDown = (event: KeyboardEvent): void => {
    const buttons = [...(place.current?.querySelectorAll('button') ?? [])];
    const at = buttons.findIndex(one => one.matches(':focus'));
    const next = buttons[at + stepOf(event.key, at, columns, buttons.length)];
    if (at === -1 || next === undefined || next === buttons[at]) return;
    event.preventDefault();
    next.focus();
  };
  const first = chosen ?? cells[0];
  return (
    <div className="hnet-grid">
      {/* biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a table whose arrow keys are its own is a grid */}
      <table role="grid" aria-label={label} ref={place} onKeyDown={onKeyDown}>
        <tbody>
          {lines.map(line => (
            <tr key={line[0]?.address}>
              {line.map(cell => (
                <td key={cell.address}>
                  <CellButton
                    cell={cell}
                    isChosen={cell.address === chosen?.address}
                    isFirst={cell.address === first?.address}
                    onChoose={onChoose}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CellProps {
  readonly cell: Cell;
  readonly isChosen: boolean;
  /** Whether Tab leads to it. */
  readonly isFirst: boolean;
  readonly onChoose: (cell: Cell) => void;
}

const CellButton = ({ cell, isChosen, isFirst, onChoose }: CellProps) => (
  <button
    type="button"
    className="hnet-cell"
    data-state={cell.state}
    data-address={cell.address}
    aria-label={labelOf(cell)}
    aria-current={isChosen}
    title={labelOf(cell)}
    tabIndex={isFirst ? 0 : -1}
    onClick={() => onChoose(cell)}
  >
    <span aria-hidden="true">{SIGNS[cell.state]}</span>
    <small aria-hidden="true">{cell.address.slice(cell.address.lastIndexOf('.') + 1)}</small>
  </button>
);

/** How far a key leads, in cells. */
function stepOf(key: string, at: number, columns: number, count: number): number {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -at,
    End: count - 1 - at,
  };
  return steps[key] ?? 0;
}

const labelOf = ({ address, state, holder, reservation }: Cell): string =>
  texts.pools.cell(
    address,
    texts.pools.states[state],
    holder === undefined ? visible(reservation?.name ?? '') : visible(holder.domain),
  );
