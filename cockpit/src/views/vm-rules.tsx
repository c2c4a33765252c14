import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import ArrowDownIcon from '@patternfly/react-icons/dist/esm/icons/arrow-down-icon.js';
import ArrowUpIcon from '@patternfly/react-icons/dist/esm/icons/arrow-up-icon.js';
import TrashIcon from '@patternfly/react-icons/dist/esm/icons/trash-icon.js';
import type { ReactNode } from 'react';
import { useDoing } from '../dialogs/wishes.ts';
import { firewallArgv, type Party } from '../model/commands.ts';
import type { CountedDomain, DomainShown } from '../model/lines.ts';
import { type RuleRow, ruleRows } from '../model/rules.ts';
import { bytes, count } from '../parts/amount.ts';
import { Section } from '../parts/section.tsx';
import { RowHead, Table, Td, Th } from '../parts/table.tsx';
import { texts } from '../texts.ts';

interface Props {
  readonly domain: DomainShown;
  readonly counted: CountedDomain | undefined;
}

/** The rules of a VM in their order, with what each has matched. */
export function VmRules({ domain, counted }: Props) {
  const { wish } = useDoing();
  const party = { uuid: domain.uuid, domain: domain.domain };
  return (
    <Section
      title={texts.rules.title}
      wide
      actions={
        <Button
          variant="secondary"
          size="sm"
          onClick={() => wish({ is: 'add rule', party, rules: domain.rules })}
        >
          {texts.rules.add}
        </Button>
      }
    >
      <p className="hnet-subtle">{domain.rules.length === 0 ? texts.rules.none : texts.rules.why}</p>
      <Table caption={texts.rules.title} head={HEAD}>
        {ruleRows(domain, counted).map(row => (
          <Line key={`${row.number} ${row.rule}`} row={row} inbound={domain.default}>
            {row.number === null ? (
              <DefaultAction inbound={domain.default} party={party} />
            ) : (
              <RuleActions number={row.number} last={domain.rules.length} party={party} />
            )}
          </Line>
        ))}
      </Table>
      <Isolation isIsolated={domain.isolate} party={party} />
    </Section>
  );
}

const HEAD = (
  <>
    <Th title={texts.rules.number} />
    <Th title={texts.rules.rule} />
    <Th title={texts.rules.packets} isNumber />
    <Th title={texts.rules.bytes} isNumber />
    <Th title={texts.vm.actions} />
  </>
);

function Line(props: { readonly row: RuleRow; readonly inbound: string; readonly children: ReactNode }) {
  const { row, inbound, children } = props;
  const { number, rule, counted } = row;
  return (
    <tr className="pf-v6-c-table__tr" data-rule={number ?? 'default'}>
      <Td label={texts.rules.number}>{number ?? '–'}</Td>
      <RowHead label={texts.rules.rule}>
        {number === null ? texts.rules.default[inbound === 'deny' ? 'deny' : 'allow'] : <code>{rule}</code>}
      </RowHead>
      <Td label={texts.rules.packets} className="hnet-number">
        {counted === undefined ? '–' : count(counted.packets)}
      </Td>
      <Td label={texts.rules.bytes} className="hnet-number">
        {counted === undefined ? '–' : bytes(counted.bytes)}
      </Td>
      <Td label={texts.vm.actions}>{children}</Td>
    </tr>
  );
}

/** Whether it exchanges anything with other VMs. */
function Isolation({ isIsolated, party }: { readonly isIsolated: boolean; readonly party: Party }) {
  const { wish } = useDoing();
  const title = isIsolated ? texts.rules.unisolate : texts.rules.isolate;
  const argv = firewallArgv(party, ['isolate', isIsolated ? 'off' : 'on']);
  return (
    <p className="hnet-row">
      {isIsolated && <span>{texts.rules.isolated}</span>}
      <Button variant="link" isInline onClick={() => wish({ is: 'confirm', title, argv })}>
        {title}
      </Button>
    </p>
  );
}

function DefaultAction({ inbound, party }: { readonly inbound: string; readonly party: Party }) {
  const { wish } = useDoing();
  const other = inbound === 'deny' ? 'allow' : 'deny';
  const title = texts.rules.turn[other];
  return (
    <Button
      variant="link"
      isInline
      onClick={() =>
        wish({
          is: 'confirm',
          title,
          argv: firewallArgv(party, ['default', other]),
          isDanger: other === 'deny',
        })
      }
    >
      {title}
    </Button>
  );
}

interface RuleProps {
  readonly number: number;
  /** The number of the last rule. */
  readonly last: number;
  readonly party: Party;
}

/** Moves a rule, or takes it away. */
function RuleActions({ number, last, party }: RuleProps) {
  const { wish } = useDoing();
  const action = (title: string, words: readonly string[], icon: ReactNode, isDanger = false) => (
    <Button
      variant="plain"
      size="sm"
      aria-label={title}
      icon={icon}
      isDisabled={words[2] === '0' || words[2] === String(last + 1)}
      onClick={() => wish({ is: 'confirm', title, argv: firewallArgv(party, words), isDanger })}
    />
  );
  const moved = (to: number): readonly string[] => ['move', String(number), String(to)];
  return (
    <div className="hnet-row">
      {action(texts.rules.up(number), moved(number - 1), <ArrowUpIcon />)}
      {action(texts.rules.down(number), moved(number + 1), <ArrowDownIcon />)}
      {action(texts.rules.delete(number), ['delete', String(number)], <TrashIcon />, true)}
    </div>
  );
}
