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
import { emptyIf, Pager, Sortable } from '../parts/table.tsx';
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
          <Table rows={shown.rows} choice={choice} onChange={setChoice} />
        </div>
      )}
      <Pager shown={shown} onPage={page => setChoice({ ...choice, page })} />
    </section>
  );
}

function Table(props: {
  readonly rows: readonly Row[];
  readonly choice: Choice;
  readonly onChange: (choice: Choice) => void;
}) {
  const { rows, choice, onChange } = props;
  const head = { choice, onChange };
  const isCluster = rows.some(({ host }) => host !== undefined);
  return (
    <table className="pf-v6-c-table pf-m-grid-md pf-m-compact" aria-label={texts.overview.caption}>
      <thead className="pf-v6-c-table__thead">
        <tr className="pf-v6-c-table__tr">
          <Sortable {...head} column="name" title={texts.overview.name} />
          <Sortable {...head} column="health" title={texts.overview.health} />
          {isCluster && <th className="pf-v6-c-table__th">{texts.overview.host}</th>}
          <Sortable {...head} column="address" title={texts.overview.address} />
          <th className="pf-v6-c-table__th">{texts.overview.bridge}</th>
          <th className="pf-v6-c-table__th">{texts.overview.lease}</th>
          <th className="pf-v6-c-table__th">{texts.overview.policy}</th>
          <Sortable {...head} column="in" title={texts.overview.in} isNumber />
          <Sortable {...head} column="out" title={texts.overview.out} isNumber />
          <Sortable {...head} column="dropped" title={texts.overview.dropped} isNumber />
        </tr>
      </thead>
      <tbody className="pf-v6-c-table__tbody">
        {rows.map(row => (
          <VmRow key={row.uuid} row={row} />
        ))}
      </tbody>
    </table>
  );
}

/** A line for each of the addresses of one VM, in the three columns that are about addresses. */
function VmRow({ row }: { readonly row: Row }) {
  const { wish } = useDoing();
  const { uuid, name, state, host, health, addresses, faults, policy, rate: speed, dropped } = row;
  return (
    <tr className="pf-v6-c-table__tr" data-health={health} data-vm={uuid}>
      <th scope="row" className="pf-v6-c-table__td" data-label={texts.overview.name}>
        <a href={hrefOf(uuid)}>
          <Name name={name} />
        </a>
      </th>
      <td className="pf-v6-c-table__td" data-label={texts.overview.health}>
        <HealthLabel health={health} state={state} />
        {faults[0] !== undefined && <span className="hnet-why">{faults[0]}</span>}
      </td>
      {host !== undefined && (
        <td className="pf-v6-c-table__td" data-label={texts.overview.host}>
          {hostText(host)}
        </td>
      )}
      <td className="pf-v6-c-table__td" data-label={texts.overview.address}>
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
      </td>
      <td
        className="pf-v6-c-table__td"
        data-label={texts.overview.bridge}
        {...emptyIf(addresses.length === 0)}
      >
        <Lines lines={addresses.map(({ bridge }) => bridge)} />
      </td>
      <td
        className="pf-v6-c-table__td"
        data-label={texts.overview.lease}
        {...emptyIf(addresses.every(({ lease }) => lease === null))}
      >
        <Lines lines={addresses.map(({ lease }) => lease ?? '–')} isAddress />
      </td>
      <td className="pf-v6-c-table__td" data-label={texts.overview.policy} {...emptyIf(policy === '')}>
        {policy !== '' && policy !== 'open' ? <Label isCompact>{policy}</Label> : policy}
      </td>
      <td className="pf-v6-c-table__td hnet-number" data-label={texts.overview.in} {...emptyIf(speed.in < 1)}>
        {rate(speed.in)}
      </td>
      <td
        className="pf-v6-c-table__td hnet-number"
        data-label={texts.overview.out}
        {...emptyIf(speed.out < 1)}
      >
        {rate(speed.out)}
      </td>
      <td
        className="pf-v6-c-table__td hnet-number"
        data-label={texts.overview.dropped}
        {...emptyIf(dropped === undefined)}
      >
        {dropped === undefined ? '–' : count(dropped)}
      </td>
    </tr>
  );
}

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
