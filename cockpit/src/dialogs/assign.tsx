import { useState } from 'react';
import { parsePrefix } from '../../../src/model/address.ts';
import { reason, visible } from '../../../src/model/refusal.ts';
import { type Candidate, candidatesIn } from '../model/candidates.ts';
import { assignArgv, type Party } from '../model/commands.ts';
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

/** Gives an address to a VM. */
export function AssignDialog({ state, address, party, onClose }: Props) {
  const [uuid, setUuid] = useState(party?.uuid ?? '');
  const [wanted, setWanted] = useState(address ?? '');
  const [nic, setNic] = useState('');
  const [dhcp, setDhcp] = useState('');
  const candidates = candidatesIn(state);
  const chosen = candidates.find(one => one.uuid === uuid);
  const why = whyNot(wanted);
  const argv =
    chosen === undefined || why !== undefined
      ? undefined
      : assignArgv({ party: chosen, address: wanted.trim(), nic, dhcp });
  const title = address === undefined ? texts.vm.assign : texts.actions.assignTo(address);
  return (
    <CommandDialog
      title={title}
      argv={argv}
      submit={texts.actions.assign}
      after={[state.pools, state.keptBack]}
      onClose={onClose}
    >
      {party === undefined && (
        <SelectVm
          id="assign-vm"
          label={texts.dialog.vm}
          value={uuid}
          candidates={candidates}
          onChange={one => {
            setUuid(one);
            setNic('');
          }}
        />
      )}
      {address === undefined && (
        <Line
          id="assign-address"
          label={texts.dialog.address}
          value={wanted}
          hint={texts.dialog.firstFree}
          why={why}
          onChange={setWanted}
        />
      )}
      <Select
        id="assign-nic"
        label={texts.dialog.nic}
        value={nic}
        options={[{ value: '', label: texts.dialog.anyNic }, ...nicsOf(chosen)]}
        onChange={setNic}
      />
      <Select
        id="assign-dhcp"
        label={texts.dialog.dhcp}
        value={dhcp}
        options={Object.entries(texts.dialog.dhcpModes).map(([value, label]) => ({ value, label }))}
        onChange={setDhcp}
      />
    </CommandDialog>
  );
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

const nicsOf = (chosen: Candidate | undefined) =>
  (chosen?.interfaces ?? [])
    .filter(({ mac }) => mac !== '')
    .map(({ mac, type, source }) => ({
      value: mac,
      label: texts.dialog.nicOption(mac, visible(`${type} ${source ?? ''}`.trim())),
    }));
