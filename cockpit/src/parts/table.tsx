import '@patternfly/react-styles/css/components/Table/table.css';
import '@patternfly/react-styles/css/components/Table/table-grid.css';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import AngleLeftIcon from '@patternfly/react-icons/dist/esm/icons/angle-left-icon.js';
import AngleRightIcon from '@patternfly/react-icons/dist/esm/icons/angle-right-icon.js';
import ArrowsAltVIcon from '@patternfly/react-icons/dist/esm/icons/arrows-alt-v-icon.js';
import LongArrowAltDownIcon from '@patternfly/react-icons/dist/esm/icons/long-arrow-alt-down-icon.js';
import LongArrowAltUpIcon from '@patternfly/react-icons/dist/esm/icons/long-arrow-alt-up-icon.js';
import type { ReactNode } from 'react';
import { type Choice, type Column, PAGE_ROWS, type Shown } from '../model/overview.ts';
import { texts } from '../texts.ts';

interface TableProps {
  readonly caption: string;
  /** The heads of the columns: {@link Th} or {@link Sortable}. */
  readonly head: ReactNode;
  readonly children: ReactNode;
}

/** A table, which a narrow page shows as a list of its rows. */
export const Table = ({ caption, head, children }: TableProps) => (
  <table className="pf-v6-c-table pf-m-compact pf-m-grid-md" aria-label={caption}>
    <thead className="pf-v6-c-table__thead">
      <tr className="pf-v6-c-table__tr">{head}</tr>
    </thead>
    <tbody className="pf-v6-c-table__tbody">{children}</tbody>
  </table>
);

/** The head of a column. */
export const Th = ({ title, isNumber = false }: { readonly title: string; readonly isNumber?: boolean }) => (
  <th className={isNumber ? 'pf-v6-c-table__th hnet-number' : 'pf-v6-c-table__th'}>{title}</th>
);

interface CellProps {
  /** The head of its column, which a narrow page shows before it. */
  readonly label: string;
  readonly children: ReactNode;
}

/** The cell that names its row. */
export const RowHead = ({ label, children }: CellProps) => (
  <th scope="row" className="pf-v6-c-table__td" data-label={label}>
    {children}
  </th>
);

/** @param isEmpty it says nothing: a narrow page leaves it out */
export function Td({
  label,
  children,
  isEmpty = false,
  className = '',
}: CellProps & { readonly isEmpty?: boolean; readonly className?: string }) {
  const empty = isEmpty ? { 'data-empty': '' } : {};
  return (
    <td className={`pf-v6-c-table__td ${className}`.trim()} data-label={label} {...empty}>
      {children}
    </td>
  );
}

interface SortableProps {
  readonly choice: Choice;
  readonly column: Column;
  readonly title: string;
  readonly isNumber?: boolean;
  readonly onChange: (choice: Choice) => void;
}

/** The head of a column by which the rows can be sorted; numbers begin with the largest. */
export function Sortable({ choice, column, title, isNumber = false, onChange }: SortableProps) {
  const isChosen = choice.column === column;
  const sort = (): void =>
    onChange({ ...choice, column, isDescending: isChosen ? !choice.isDescending : isNumber, page: 1 });
  const Arrow = choice.isDescending ? LongArrowAltDownIcon : LongArrowAltUpIcon;
  const order = choice.isDescending ? 'descending' : 'ascending';
  return (
    <th
      className={`pf-v6-c-table__th pf-v6-c-table__sort${isChosen ? ' pf-m-selected' : ''}${isNumber ? ' hnet-number' : ''}`}
      scope="col"
      aria-sort={isChosen ? order : 'none'}
    >
      <button type="button" className="pf-v6-c-table__button" onClick={sort}>
        <span className="pf-v6-c-table__button-content">
          <span className="pf-v6-c-table__text">{title}</span>
          <span className="pf-v6-c-table__sort-indicator">{isChosen ? <Arrow /> : <ArrowsAltVIcon />}</span>
        </span>
      </button>
    </th>
  );
}

/** Leads through the pages, where there are several. */
export function Pager({ shown, onPage }: { readonly shown: Shown; readonly onPage: (page: number) => void }) {
  const { page, count } = shown;
  if (count <= PAGE_ROWS) return null;
  const last = Math.ceil(count / PAGE_ROWS);
  const from = (page - 1) * PAGE_ROWS + 1;
  return (
    <div className="hnet-pager">
      <span aria-live="polite">
        {texts.overview.range(from, Math.min(count, from + PAGE_ROWS - 1), count)}
      </span>
      <Button
        variant="plain"
        aria-label={texts.overview.previous}
        isDisabled={page === 1}
        icon={<AngleLeftIcon />}
        onClick={() => onPage(page - 1)}
      />
      <Button
        variant="plain"
        aria-label={texts.overview.next}
        isDisabled={page === last}
        icon={<AngleRightIcon />}
        onClick={() => onPage(page + 1)}
      />
    </div>
  );
}
