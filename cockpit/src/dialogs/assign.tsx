import { useState } from 'react';
import { parsePrefix } from '../../../src/model/address.ts';
import { reason, visible } from '../../../src/model/refusal.ts';
import { type Candidate, candidatesIn } from '../model/candidates.ts';
import { type Argv, assignArgv, type Party } from '../model/commands.ts';
import type { HostState } from '../model/seen.ts';
import { texts } from '../texts.ts';
import { CommandDialog } from './command-dialog.tsx';
import { Line, Select } from './fields.tsx';
import { SelectVm } from './select-vm.tsx';

interface Props {
  readonly state: HostState;
  readonly address: string | undefined;
  readonly party: Party | undefined;
  readonly onClose: () => void;
}

/** What has been filled in. */
interface Filled {
  readonly uuid: string;
  readonly address: string;
  readonly nic: string;
  readonly dhcp: string;
}

/** Gives an address to a VM. */
export function AssignDialog({ state, address, party, onClose }: Props) {
  const [filled, setFilled] = useState({
    uuid: party?.uuid ?? '',
    address: address ?? '',
    nic: '',
    dhcp: '',
  });
  const fill = (part: Partial<Filled>): void => setFilled({ ...filled, ...part });
  const candidates = candidatesIn(state);
  const chosen = candidates.find(one => one.uuid === filled.uuid);
  const why = whyNot(filled.address);
  return (
    <CommandDialog
      title={address === undefined ? texts.vm.assign : texts.actions.assignTo(address)}
      argv={argvOf(filled, why === undefined ? chosen : undefined)}
      submit={texts.actions.assign}
      after={[state.pools, state.keptBack]}
      onClose={onClose}
    >
      {party === undefined && (
        <SelectVm
          id="assign-vm"
          label={texts.dialog.vm}
          value={filled.uuid}
          candidates={candidates}
          onChange={uuid => fill({ uuid, nic: '' })}
        />
      )}
      {address === undefined && (
        <AddressLine value={filled.address} why={why} onChange={wanted => fill({ address: wanted })} />
      )}
      <Ways filled={filled} vm={chosen} onFill={fill} />
    </CommandDialog>
  );
}

const argvOf = ({ address, nic, dhcp }: Filled, party: Candidate | undefined): Argv | undefined =>
  party && assignArgv({ party, address: address.trim(), nic, dhcp });

/** On which of its interfaces, and how its DHCP server leases it. */
function Ways(props: {
  readonly filled: Filled;
  readonly vm: Candidate | undefined;
  readonly onFill: (part: Partial<Filled>) => void;
}) {
  const { filled, vm, onFill } = props;
  return (
    <>
      <Select
        id="assign-nic"
        label={texts.dialog.nic}
        value={filled.nic}
        options={nicsOf(vm)}
        onChange={nic => onFill({ nic })}
      />
      <Select
        id="assign-dhcp"
        label={texts.dialog.dhcp}
        value={filled.dhcp}
        options={Object.entries(texts.dialog.dhcpModes).map(([value, label]) => ({ value, label }))}
        onChange={dhcp => onFill({ dhcp })}
      />
    </>
  );
}

function AddressLine(props: {
  readonly value: string;
  readonly why: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  return <Line id="assign-address" label={texts.dialog.address} hint={texts.dialog.firstFree} {...props} />;
}

/** An empty one leaves the choice to hnet. */
function whyNot(address: string): string | undefined {
  if (address.trim() === '') return undefined;
  try {
    parsePrefix(address.trim());
    return undefined;
  } catch (error) {
    return visible(reason(error));
  }
}

const nicsOf = (chosen: Candidate | undefined) => [
  { value: '', label: texts.dialog.anyNic },
  ...(chosen?.interfaces ?? [])
    .filter(({ mac }) => mac !== '')
    .map(({ mac, type, source }) => ({
      value: mac,
      label: texts.dialog.nicOption(mac, visible(`${type} ${source ?? ''}`.trim())),
    })),
];
