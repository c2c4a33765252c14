import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { useDoing } from '../dialogs/wishes.ts';
import type { Party } from '../model/commands.ts';
import type { AddressShown, DomainShown } from '../model/lines.ts';
import { addressKey, type Seen } from '../model/seen.ts';
import { bytes, rate } from '../parts/amount.ts';
import { Copy } from '../parts/copy.tsx';
import { Facts } from '../parts/facts.tsx';
import { Section } from '../parts/section.tsx';
import { RowHead, Table, Td, Th } from '../parts/table.tsx';
import { Why } from '../parts/why.tsx';
import { texts } from '../texts.ts';

interface Props {
  readonly seen: Seen;
  readonly domain: DomainShown;
  /** What DHCP servers hand out where a domain says nothing else. */
  readonly mode: string;
}

const HEAD = [
  texts.overview.address,
  texts.overview.bridge,
  texts.vm.scope,
  texts.overview.lease,
  texts.overview.in,
  texts.overview.out,
  texts.vm.total,
  texts.vm.actions,
];

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
      <Why faults={domain.faults} />
      <Table caption={texts.vm.addresses} head={HEAD.map(title => <Th key={title} title={title} />)}>
        {domain.addresses.map(one => (
          <AddressRow key={one.address} seen={seen} domain={domain} held={one} />
        ))}
      </Table>
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
  const { seen, domain, held } = props;
  const { address, bridge, scope, via, lease } = held;
  return (
    <tr className="pf-v6-c-table__tr" data-address={address}>
      <RowHead label={texts.overview.address}>
        <span className="hnet-row hnet-tight">
          <span className="hnet-address">{address}</span>
          <Copy text={address} />
        </span>
      </RowHead>
      <Td label={texts.overview.bridge}>{via === null ? bridge : texts.vm.via(via)}</Td>
      <Td label={texts.vm.scope}>
        <span className="hnet-address">{scope}</span>
      </Td>
      <Td label={texts.overview.lease} isEmpty={lease === null}>
        <span className="hnet-address">{lease ?? '–'}</span>
      </Td>
      <TrafficCells seen={seen} name={addressKey({ uuid: domain.uuid, address })} />
      <Td label={texts.vm.actions}>
        <AddressActions address={address} party={{ uuid: domain.uuid, domain: domain.domain }} />
      </Td>
    </tr>
  );
}

/** @param name the key of the address in what is counted */
function TrafficCells({ seen, name }: { readonly seen: Seen; readonly name: string }) {
  const speed = seen.samples.at(-1)?.rates.get(name) ?? { in: 0, out: 0 };
  const total = seen.counters?.addresses.get(name)?.total;
  return (
    <>
      <Td label={texts.overview.in} isEmpty={speed.in < 1} className="hnet-once">
        {rate(speed.in)}
      </Td>
      <Td label={texts.overview.out} isEmpty={speed.out < 1} className="hnet-once">
        {rate(speed.out)}
      </Td>
      <Td label={texts.vm.total}>
        {total === undefined ? (
          '–'
        ) : (
          <>
            <span className="hnet-once">↓ {bytes(total.in.bytes)}</span>{' '}
            <span className="hnet-once">↑ {bytes(total.out.bytes)}</span>
          </>
        )}
      </Td>
    </>
  );
}

function AddressActions(about: { readonly address: string; readonly party: Party }) {
  const { wish } = useDoing();
  return (
    <div className="hnet-row">
      <Button variant="link" isInline onClick={() => wish({ is: 'move', ...about })}>
        {texts.actions.move}
      </Button>
      <Button variant="link" isInline isDanger onClick={() => wish({ is: 'unassign', ...about })}>
        {texts.actions.unassign}
      </Button>
    </div>
  );
}
