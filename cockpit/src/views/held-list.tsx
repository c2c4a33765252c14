import type { Cell } from '../model/pools.ts';
import { Name } from '../parts/name.tsx';
import { texts } from '../texts.ts';

interface Props {
  readonly cells: readonly Cell[];
  readonly chosen: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

/** What is held of a pool that has too many addresses for a cell each. */
export function HeldList({ cells, chosen, onChoose }: Props) {
  if (cells.length === 0) return <p className="hnet-subtle">{texts.pools.nothingHeld}</p>;
  return (
    <table className="pf-v6-c-table pf-m-compact pf-m-grid-md" aria-label={texts.pools.held}>
      <thead className="pf-v6-c-table__thead">
        <tr className="pf-v6-c-table__tr">
          <th className="pf-v6-c-table__th">{texts.dialog.address}</th>
          <th className="pf-v6-c-table__th">{texts.pools.state}</th>
          <th className="pf-v6-c-table__th">{texts.pools.holder}</th>
        </tr>
      </thead>
      <tbody className="pf-v6-c-table__tbody">
        {cells.map(cell => (
          <tr
            key={cell.address}
            className="pf-v6-c-table__tr"
            data-address={cell.address}
            aria-selected={cell.address === chosen?.address}
          >
            <th scope="row" className="pf-v6-c-table__td" data-label={texts.dialog.address}>
              <button type="button" className="hnet-address hnet-link" onClick={() => onChoose(cell)}>
                {cell.address}
              </button>
            </th>
            <td className="pf-v6-c-table__td" data-label={texts.pools.state}>
              <span>
                <span className="hnet-dot" data-state={cell.state} aria-hidden="true" />
                {texts.pools.states[cell.state]}
              </span>
            </td>
            <td className="pf-v6-c-table__td" data-label={texts.pools.holder}>
              {cell.holder === undefined ? '–' : <Name name={cell.holder.domain} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
