import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { visible } from '../../../src/model/refusal.ts';
import { useDoing } from '../dialogs/wishes.ts';
import type { AddressShown, DomainShown } from '../model/lines.ts';
import { addressKey, type Seen } from '../model/seen.ts';
import { bytes, rate } from '../parts/amount.ts';
import { Copy } from '../parts/copy.tsx';
import { Facts } from '../parts/facts.tsx';
import { Section } from '../parts/section.tsx';
import { emptyIf } from '../parts/table.tsx';
import { texts } from '../texts.ts';

interface Props {
  readonly seen: Seen;
  readonly domain: DomainShown;
  /** What DHCP servers hand out where a domain says nothing else. */
  readonly mode: string;
}

export function VmAddresses({ seen, domain, mode }: Props) {
  const { wish } = useDoing();
  const party = { uuid: domain.uuid, domain: domain.domain };
  return (
    <Section
      title={texts.vm.addresses}
      wide
      actions={
        <Button variant="secondary" size="sm" onClick={() => wish({ is: 'assign', party })}>
          {texts.vm.assign}
        </Button>
      }
    >
      {domain.faults.length > 0 && (
        <ul className="hnet-why">
          {domain.faults.map(fault => (
            <li key={fault}>{visible(fault)}</li>
          ))}
        </ul>
      )}
      <table className="pf-v6-c-table pf-m-compact pf-m-grid-md" aria-label={texts.vm.addresses}>
        <thead className="pf-v6-c-table__thead">
          <tr className="pf-v6-c-table__tr">
            {[
              texts.overview.address,
              texts.overview.bridge,
              texts.vm.scope,
              texts.overview.lease,
              texts.overview.in,
              texts.overview.out,
              texts.vm.total,
              texts.vm.actions,
            ].map(title => (
              <th key={title} className="pf-v6-c-table__th">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="pf-v6-c-table__tbody">
          {domain.addresses.map(one => (
            <AddressRow key={one.address} seen={seen} domain={domain} held={one} />
          ))}
        </tbody>
      </table>
      <Facts
        facts={[
          [texts.vm.dhcp, domain.dhcp ?? texts.vm.dhcpDefault(mode)],
          domain.forwards.length > 0 && [texts.vm.forwards, domain.forwards.join(', ')],
        ]}
      />
    </Section>
  );
}

function AddressRow(props: {
  readonly seen: Seen;
  readonly domain: DomainShown;
  readonly held: AddressShown;
}) {
  const { wish } = useDoing();
  const { seen, domain, held } = props;
  const { address, bridge, scope, via, lease } = held;
  const key = addressKey({ uuid: domain.uuid, address });
  const speed = seen.samples.at(-1)?.rates.get(key);
  const total = seen.counters?.addresses.get(key)?.total;
  const about = { address, party: { uuid: domain.uuid, domain: domain.domain } };
  return (
    <tr className="pf-v6-c-table__tr" data-address={address}>
      <th scope="row" className="pf-v6-c-table__td" data-label={texts.overview.address}>
        <span className="hnet-row hnet-tight">
          <span className="hnet-address">{address}</span>
          <Copy text={address} />
        </span>
      </th>
      <td className="pf-v6-c-table__td" data-label={texts.overview.bridge}>
        {via === null ? bridge : texts.vm.via(via)}
      </td>
      <td className="pf-v6-c-table__td" data-label={texts.vm.scope}>
        <span className="hnet-address">{scope}</span>
      </td>
      <td className="pf-v6-c-table__td" data-label={texts.overview.lease} {...emptyIf(lease === null)}>
        <span className="hnet-address">{lease ?? '–'}</span>
      </td>
      <td
        className="pf-v6-c-table__td hnet-once"
        data-label={texts.overview.in}
        {...emptyIf((speed?.in ?? 0) < 1)}
      >
        {rate(speed?.in ?? 0)}
      </td>
      <td
        className="pf-v6-c-table__td hnet-once"
        data-label={texts.overview.out}
        {...emptyIf((speed?.out ?? 0) < 1)}
      >
        {rate(speed?.out ?? 0)}
      </td>
      <td className="pf-v6-c-table__td" data-label={texts.vm.total}>
        {total === undefined ? (
          '–'
        ) : (
          <>
            <span className="hnet-once">↓ {bytes(total.in.bytes)}</span>{' '}
            <span className="hnet-once">↑ {bytes(total.out.bytes)}</span>
          </>
        )}
      </td>
      <td className="pf-v6-c-table__td" data-label={texts.vm.actions}>
        <div className="hnet-row">
          <Button variant="link" isInline onClick={() => wish({ is: 'move', ...about })}>
            {texts.actions.move}
          </Button>
          <Button variant="link" isInline isDanger onClick={() => wish({ is: 'unassign', ...about })}>
            {texts.actions.unassign}
          </Button>
        </div>
      </td>
    </tr>
  );
}
