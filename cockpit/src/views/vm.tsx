import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { EmptyState, EmptyStateBody } from '@patternfly/react-core/dist/esm/components/EmptyState/index.js';
import { Title } from '@patternfly/react-core/dist/esm/components/Title/index.js';
import ExternalLinkAltIcon from '@patternfly/react-icons/dist/esm/icons/external-link-alt-icon.js';
import { useEffect, useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { useDoing } from '../dialogs/wishes.ts';
import { goToMachine, hasMachines } from '../door/machines.ts';
import { awayIn } from '../model/away.ts';
import type { DomainShown, ElsewhereShown, OtherShown } from '../model/lines.ts';
import { healthOf } from '../model/overview.ts';
import type { HostState, Seen } from '../model/seen.ts';
import { Facts } from '../parts/facts.tsx';
import { HealthLabel } from '../parts/health.tsx';
import { hostText } from '../parts/host.ts';
import { Name } from '../parts/name.tsx';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';
import { VmAddresses } from './vm-addresses.tsx';
import { VmDoctor } from './vm-doctor.tsx';
import { VmGuest } from './vm-guest.tsx';
import { VmHistory } from './vm-history.tsx';
import { VmRules } from './vm-rules.tsx';
import { VmTraffic } from './vm-traffic.tsx';

interface Props {
  readonly seen: Seen;
  readonly state: HostState;
  readonly uuid: string;
}

/** Everything about one VM. */
export function Vm({ seen, state, uuid }: Props) {
  const away = awayIn(state).find(one => one.uuid === uuid);
  if (away !== undefined) return <Away away={away} />;
  const domain = state.domains.get(uuid);
  if (domain !== undefined) return <Held seen={seen} state={state} domain={domain} />;
  const other = state.others.find(one => one.uuid === uuid);
  if (other !== undefined) return <Bare party={other} />;
  return (
    <EmptyState titleText={texts.vm.missing} headingLevel="h2">
      <EmptyStateBody>
        {texts.vm.missingWhy} <a href="#/">{texts.vm.back}</a>
      </EmptyStateBody>
    </EmptyState>
  );
}

function Held({ seen, state, domain }: Omit<Props, 'uuid'> & { readonly domain: DomainShown }) {
  return (
    <div className="hnet-stack" data-vm={domain.uuid}>
      <Head name={domain.domain} uuid={domain.uuid}>
        <HealthLabel health={healthOf(domain)} state={domain.state} />
      </Head>
      {domain.state === 'incoming' && <Way why={texts.way.incomingWhy} />}
      {domain.state === 'leaving' && <Way why={texts.way.leavingWhy} />}
      <div className="hnet-cards">
        <VmAddresses seen={seen} domain={domain} mode={state.host.dhcp} />
        <VmTraffic seen={seen} domain={domain} />
        <VmDoctor domain={domain} />
        <VmRules domain={domain} counted={seen.counters?.domains.get(domain.uuid)} />
        <VmGuest domain={domain} />
        <VmHistory domain={domain} happened={seen.happened} />
      </div>
    </div>
  );
}

/** A VM that has nothing of hnet's. */
function Bare({ party }: { readonly party: OtherShown }) {
  const { wish } = useDoing();
  const { uuid, domain } = party;
  return (
    <div className="hnet-stack" data-vm={uuid}>
      <Head name={domain} uuid={uuid}>
        <HealthLabel health="none" state={party.state} />
      </Head>
      <EmptyState titleText={texts.vm.noAddress} headingLevel="h3">
        <EmptyStateBody>
          <Button variant="primary" onClick={() => wish({ is: 'assign', party: { uuid, domain } })}>
            {texts.overview.give}
          </Button>
        </EmptyStateBody>
      </EmptyState>
    </div>
  );
}

const Way = ({ why }: { readonly why: string }) => (
  <Alert component="h3" variant="info" isInline title={why} />
);

/** A VM of another host of the cluster: only that host knows how it is. */
function Away({ away }: { readonly away: ElsewhereShown }) {
  const { uuid, domain, host, to, state, addresses } = away;
  return (
    <div className="hnet-stack" data-vm={uuid}>
      <Head name={domain} uuid={uuid}>
        <HealthLabel health="elsewhere" state={state} />
      </Head>
      <Alert
        component="h3"
        variant="info"
        isInline
        title={host === null ? texts.away.nowhereWhy : texts.away.why(visible(host))}
      />
      <Section title={texts.vm.addresses}>
        <Facts
          facts={[
            [texts.overview.host, hostText(host === null ? null : { name: host, to })],
            [
              texts.overview.address,
              <ul key="addresses" className="hnet-lines hnet-address">
                {addresses.map(({ address }) => (
                  <li key={address}>{address}</li>
                ))}
              </ul>,
            ],
            [texts.overview.bridge, [...new Set(addresses.map(({ bridge }) => bridge))].join(', ')],
          ]}
        />
      </Section>
    </div>
  );
}

function Head(props: { readonly name: string; readonly uuid: string; readonly children: React.ReactNode }) {
  const { name, uuid, children } = props;
  return (
    <header className="hnet-head">
      <a href="#/">← {texts.vm.back}</a>
      <Title headingLevel="h2" size="2xl">
        <Name name={name} />
      </Title>
      {children}
      <span className="hnet-subtle hnet-address">{uuid}</span>
      <MachinesLink name={name} />
    </header>
  );
}

/** To Cockpit's own page of this VM, where that is installed. */
function MachinesLink({ name }: { readonly name: string }) {
  const [isThere, setThere] = useState(false);
  useEffect(() => {
    let isHere = true;
    hasMachines().then(found => isHere && setThere(found));
    return () => {
      isHere = false;
    };
  }, []);
  if (!isThere) return null;
  return (
    <Button
      variant="link"
      className="hnet-end"
      icon={<ExternalLinkAltIcon />}
      onClick={() => goToMachine(name)}
    >
      {texts.vm.machines}
    </Button>
  );
}
