import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { Card, CardBody, CardTitle } from '@patternfly/react-core/dist/esm/components/Card/index.js';
import { EmptyState, EmptyStateBody } from '@patternfly/react-core/dist/esm/components/EmptyState/index.js';
import { useMemo, useState } from 'react';
import { Select } from '../dialogs/fields.tsx';
import { useDoing } from '../dialogs/wishes.ts';
import { type Cell, cellsOf, countStates, listOf, type PoolView, partsOf, poolView } from '../model/pools.ts';
import type { HostState } from '../model/seen.ts';
import { count } from '../parts/amount.ts';
import { go, type Place } from '../parts/place.ts';
import { texts } from '../texts.ts';
import { CellPanel } from './cell-panel.tsx';
import { Grid, Legend } from './grid.tsx';
import { HeldList } from './held-list.tsx';

type Parts = ReturnType<typeof partsOf>;

interface Props {
  readonly state: HostState;
  readonly place: Extract<Place, { is: 'pools' }>;
}

/** Every address of every pool. */
export function Pools({ state, place }: Props) {
  const parts = useMemo(() => partsOf(state), [state]);
  if (state.pools.length === 0)
    return (
      <EmptyState titleText={texts.pools.none} headingLevel="h2">
        <EmptyStateBody>{texts.pools.noneWhy}</EmptyStateBody>
      </EmptyState>
    );
  return (
    <div className="hnet-stack">
      <Legend isCluster={state.host.cluster !== null} />
      {state.pools.map(pool => (
        <Pool key={pool.pool} view={poolView(pool)} parts={parts} place={place} />
      ))}
    </div>
  );
}

interface PoolProps {
  readonly view: PoolView;
  readonly parts: Parts;
  readonly place: Props['place'];
}

function Pool({ view, parts, place }: PoolProps) {
  const { pool, blocks } = view;
  const [wanted, setBlock] = useState(blocks[0] ?? '');
  const block = blocks.includes(wanted) ? wanted : (blocks[0] ?? '');
  const cells = useMemo(
    () => (block === '' ? listOf(pool.pool, parts) : cellsOf(block, parts)),
    [block, pool.pool, parts],
  );
  const chosen =
    place.pool === pool.pool ? cells.find(({ address }) => address === place.address) : undefined;
  const choose = (cell: Cell | undefined): void =>
    go({ is: 'pools', pool: cell === undefined ? '' : pool.pool, address: cell?.address ?? '' });
  return (
    <Card aria-label={pool.pool} component="section" data-pool={pool.pool}>
      <CardTitle component="h2">
        <span className="hnet-address">{pool.pool}</span>{' '}
        <span className="hnet-card-count">{countOf(view, cells)}</span>
      </CardTitle>
      <CardBody className="hnet-pool">
        <div className="hnet-stack">
          {blocks.length > 1 && <BlockSelect view={view} parts={parts} block={block} onChange={setBlock} />}
          {block === '' && <Wishes />}
          {block === '' ? (
            <HeldList cells={cells} chosen={chosen} onChoose={choose} />
          ) : (
            <Grid label={texts.pools.grid(block)} cells={cells} chosen={chosen} onChoose={choose} />
          )}
        </div>
        {(chosen !== undefined || cells.length > 0) && <CellPanel cell={chosen} />}
      </CardBody>
    </Card>
  );
}

/** Which part of a pool is shown. */
function BlockSelect(props: {
  readonly view: PoolView;
  readonly parts: Parts;
  readonly block: string;
  readonly onChange: (block: string) => void;
}) {
  const { view, parts, block, onChange } = props;
  return (
    <Select
      id={`block-${view.pool.pool}`}
      label={texts.pools.block}
      value={block}
      options={view.blocks.map(one => ({ value: one, label: labelOf(one, parts) }))}
      onChange={onChange}
    />
  );
}

/** Of a pool that has no end the free ones say nothing. */
const countOf = ({ pool: { free, size }, blocks }: PoolView, cells: readonly Cell[]): string =>
  blocks.length === 0
    ? texts.pools.taken(count(cells.filter(({ holder }) => holder !== undefined).length))
    : texts.pools.free(count(free), count(size));

function labelOf(block: string, parts: Parts): string {
  const cells = cellsOf(block, parts);
  return `${block}: ${texts.pools.free(String(countStates(cells).free), String(cells.length))}`;
}

/** For a pool that has no cells to click at. */
function Wishes() {
  const { wish } = useDoing();
  return (
    <div className="hnet-row">
      <Button variant="secondary" onClick={() => wish({ is: 'assign' })}>
        {texts.pools.assignOne}
      </Button>
      <Button variant="link" onClick={() => wish({ is: 'reserve' })}>
        {texts.pools.reserveOne}
      </Button>
    </div>
  );
}
