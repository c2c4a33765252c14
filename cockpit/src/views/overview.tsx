import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import {
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
} from '@patternfly/react-core/dist/esm/components/EmptyState/index.js';
import { Label } from '@patternfly/react-core/dist/esm/components/Label/index.js';
import { useDeferredValue, useMemo, useState } from 'react';
import { useDoing } from '../dialogs/wishes.ts';
import { type Choice, chosen, FIRST_CHOICE, type Row, rowsOf } from '../model/overview.ts';
import type { Seen } from '../model/seen.ts';
import { count, rate } from '../parts/amount.ts';
import { HealthLabel } from '../parts/health.tsx';
import { hostText } from '../parts/host.ts';
import { Name } from '../parts/name.tsx';
import { hrefOf } from '../parts/place.ts';
import { Pager, RowHead, Sortable, Table, Td, Th } from '../parts/table.tsx';
import { texts } from '../texts.ts';
import { Filter } from './filter.tsx';

/** The table of all VMs. */
export function Overview({ seen }: { readonly seen: Seen }) {
  const [choice, setChoice] = useState<Choice>(FIRST_CHOICE);
  const rows = useMemo(() => rowsOf(seen), [seen]);
  const wanted = useDeferredValue(choice);
  const shown = useMemo(() => chosen(rows, wanted), [rows, wanted]);
  if (rows.length === 0)
    return (
      <EmptyState titleText={texts.overview.empty} headingLevel="h2">
        <EmptyStateBody>{texts.overview.emptyWhy}</EmptyStateBody>
      </EmptyState>
    );
  return (
    <section className="hnet-stack" aria-label={texts.overview.caption}>
      <Filter choice={choice} rows={rows} onChange={setChoice} />
      {shown.count === 0 ? (
        <EmptyState titleText={texts.overview.nothing} headingLevel="h2">
          <EmptyStateBody>{texts.overview.nothingWhy}</EmptyStateBody>
          <EmptyStateActions>
            <Button variant="link" onClick={() => setChoice(FIRST_CHOICE)}>
              {texts.overview.clear}
            </Button>
          </EmptyStateActions>
        </EmptyState>
      ) : (
        <div className="hnet-table">
          <VmTable rows={shown.rows} choice={choice} onChange={setChoice} />
        </div>
      )}
      <Pager shown={shown} onPage={page => setChoice({ ...choice, page })} />
    </section>
  );
}

interface VmTableProps {
  readonly rows: readonly Row[];
  readonly choice: Choice;
  readonly onChange: (choice: Choice) => void;
}

function VmTable({ rows, choice, onChange }: VmTableProps) {
  const sort = { choice, onChange };
  const isCluster = rows.some(({ host }) => host !== undefined);
  const head = (
    <>
      <Sortable {...sort} column="name" title={texts.overview.name} />
      <Sortable {...sort} column="health" title={texts.overview.health} />
      {isCluster && <Th title={texts.overview.host} />}
      <Sortable {...sort} column="address" title={texts.overview.address} />
      <Th title={texts.overview.bridge} />
      <Th title={texts.overview.lease} />
      <Th title={texts.overview.policy} />
      <Sortable {...sort} column="in" title={texts.overview.in} isNumber />
      <Sortable {...sort} column="out" title={texts.overview.out} isNumber />
      <Sortable {...sort} column="dropped" title={texts.overview.dropped} isNumber />
    </>
  );
  return (
    <Table caption={texts.overview.caption} head={head}>
      {rows.map(row => (
        <VmRow key={row.uuid} row={row} />
      ))}
    </Table>
  );
}

function VmRow({ row }: { readonly row: Row }) {
  const { uuid, name, state, host, health, faults, policy } = row;
  return (
    <tr className="pf-v6-c-table__tr" data-health={health} data-vm={uuid}>
      <RowHead label={texts.overview.name}>
        <a href={hrefOf(uuid)}>
          <Name name={name} />
        </a>
      </RowHead>
      <Td label={texts.overview.health}>
        <HealthLabel health={health} state={state} />
        {faults[0] !== undefined && <span className="hnet-why">{faults[0]}</span>}
      </Td>
      {host !== undefined && <Td label={texts.overview.host}>{hostText(host)}</Td>}
      <AddressCells row={row} />
      <Td label={texts.overview.policy} isEmpty={policy === ''}>
        {policy !== '' && policy !== 'open' ? <Label isCompact>{policy}</Label> : policy}
      </Td>
      <NumberCells row={row} />
    </tr>
  );
}

/** A line for each of the addresses of one VM, in the three columns that are about addresses. */
function AddressCells({ row: { uuid, name, health, addresses } }: { readonly row: Row }) {
  const { wish } = useDoing();
  return (
    <>
      <Td label={texts.overview.address}>
        {health === 'none' ? (
          <Button
            variant="link"
            isInline
            onClick={() => wish({ is: 'assign', party: { uuid, domain: name } })}
          >
            {texts.overview.give}
          </Button>
        ) : (
          <Lines lines={addresses.map(({ address }) => address)} isAddress />
        )}
      </Td>
      <Td label={texts.overview.bridge} isEmpty={addresses.length === 0}>
        <Lines lines={addresses.map(({ bridge }) => bridge)} />
      </Td>
      <Td label={texts.overview.lease} isEmpty={addresses.every(({ lease }) => lease === null)}>
        <Lines lines={addresses.map(({ lease }) => lease ?? '–')} isAddress />
      </Td>
    </>
  );
}

const NumberCells = ({ row: { rate: speed, dropped } }: { readonly row: Row }) => (
  <>
    <Td label={texts.overview.in} isEmpty={speed.in < 1} className="hnet-number">
      {rate(speed.in)}
    </Td>
    <Td label={texts.overview.out} isEmpty={speed.out < 1} className="hnet-number">
      {rate(speed.out)}
    </Td>
    <Td label={texts.overview.dropped} isEmpty={dropped === undefined} className="hnet-number">
      {dropped === undefined ? '–' : count(dropped)}
    </Td>
  </>
);

function Lines({
  lines,
  isAddress = false,
}: {
  readonly lines: readonly string[];
  readonly isAddress?: boolean;
}) {
  return (
    <ul className={isAddress ? 'hnet-lines hnet-address' : 'hnet-lines'}>
      {lines.map((line, place) => (
        // Two addresses may have the same bridge; their order is their own.
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no other name
        <li key={place}>{line}</li>
      ))}
    </ul>
  );
}
