import type { Cell } from '../model/pools.ts';
import { Name } from '../parts/name.tsx';
import { RowHead, Table, Td, Th } from '../parts/table.tsx';
import { texts } from '../texts.ts';

interface Props {
  readonly cells: readonly Cell[];
  readonly chosen: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
}

const HEAD = [texts.dialog.address, texts.pools.state, texts.pools.holder];

/** What is held of a pool that has too many addresses for a cell each. */
export function HeldList({ cells, chosen, onChoose }: Props) {
  if (cells.length === 0) return <p className="hnet-subtle">{texts.pools.nothingHeld}</p>;
  return (
    <Table caption={texts.pools.held} head={HEAD.map(title => <Th key={title} title={title} />)}>
      {cells.map(cell => (
        <tr
          key={cell.address}
          className="pf-v6-c-table__tr"
          data-address={cell.address}
          aria-selected={cell.address === chosen?.address}
        >
          <RowHead label={texts.dialog.address}>
            <button type="button" className="hnet-address hnet-link" onClick={() => onChoose(cell)}>
              {cell.address}
            </button>
          </RowHead>
          <Td label={texts.pools.state}>
            <span>
              <span className="hnet-dot" data-state={cell.state} aria-hidden="true" />
              {texts.pools.states[cell.state]}
            </span>
          </Td>
          <Td label={texts.pools.holder}>
            {cell.holder === undefined ? '–' : <Name name={cell.holder.domain} />}
          </Td>
        </tr>
      ))}
    </Table>
  );
}
