import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { EmptyState, EmptyStateBody } from '@patternfly/react-core/dist/esm/components/EmptyState/index.js';
import { Title } from '@patternfly/react-core/dist/esm/components/Title/index.js';
import ExternalLinkAltIcon from '@patternfly/react-icons/dist/esm/icons/external-link-alt-icon.js';
import { useEffect, useState } from 'react';
import { useDoing } from '../dialogs/wishes.ts';
import { goToMachine, hasMachines } from '../door/machines.ts';
import type { DomainShown } from '../model/lines.ts';
import { healthOf } from '../model/overview.ts';
import type { HostState, Seen } from '../model/seen.ts';
import { HealthLabel } from '../parts/health.tsx';
import { Name } from '../parts/name.tsx';
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
        <HealthLabel health={healthOf(domain)} />
      </Head>
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
function Bare({ party }: { readonly party: { readonly uuid: string; readonly domain: string } }) {
  const { wish } = useDoing();
  const { uuid, domain } = party;
  return (
    <div className="hnet-stack" data-vm={uuid}>
      <Head name={domain} uuid={uuid}>
        <HealthLabel health="none" />
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
