import '@patternfly/react-styles/css/components/Table/table.css';
import '@patternfly/react-styles/css/components/Table/table-grid.css';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import AngleLeftIcon from '@patternfly/react-icons/dist/esm/icons/angle-left-icon.js';
import AngleRightIcon from '@patternfly/react-icons/dist/esm/icons/angle-right-icon.js';
import ArrowsAltVIcon from '@patternfly/react-icons/dist/esm/icons/arrows-alt-v-icon.js';
import LongArrowAltDownIcon from '@patternfly/react-icons/dist/esm/icons/long-arrow-alt-down-icon.js';
import LongArrowAltUpIcon from '@patternfly/react-icons/dist/esm/icons/long-arrow-alt-up-icon.js';
import { type Choice, type Column, PAGE_ROWS, type Shown } from '../model/overview.ts';
import { texts } from '../texts.ts';

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

/** Of a cell: a narrow page leaves out what says nothing. */
export const emptyIf = (isEmpty: boolean) => (isEmpty ? { 'data-empty': '' } : {});
