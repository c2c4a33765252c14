import { useState } from 'react';
import { parsePrefix } from '../../../src/model/address.ts';
import { ifPossible, visible } from '../../../src/model/refusal.ts';
import { candidatesIn } from '../model/candidates.ts';
import { moveArgv, type Party, releaseArgv, reserveArgv, unassignArgv } from '../model/commands.ts';
import type { HostState } from '../model/seen.ts';
import { texts } from '../texts.ts';
import { CommandDialog } from './command-dialog.tsx';
import { Line } from './fields.tsx';
import { SelectVm } from './select-vm.tsx';

interface About {
  readonly state: HostState;
  readonly address: string;
  readonly party: Party;
  readonly onClose: () => void;
}

export function UnassignDialog({ state, address, party, onClose }: About) {
  return (
    <CommandDialog
      title={texts.actions.unassignFrom(address, visible(party.domain))}
      argv={unassignArgv(party, address)}
      submit={texts.actions.unassign}
      isDanger
      after={state.domains.get(party.uuid)?.addresses}
      onClose={onClose}
    />
  );
}

/** Hands an address from one VM to another. */
export function MoveDialog({ state, address, party, onClose }: About) {
  const [uuid, setUuid] = useState('');
  const candidates = candidatesIn(state).filter(one => one.uuid !== party.uuid);
  const to = candidates.find(one => one.uuid === uuid);
  return (
    <CommandDialog
      title={texts.actions.moveFrom(address, visible(party.domain))}
      argv={to && moveArgv(address, party, to)}
      submit={texts.actions.move}
      after={state.domains.get(party.uuid)?.addresses}
      onClose={onClose}
    >
      <SelectVm
        id="move-to"
        label={texts.dialog.to}
        value={uuid}
        candidates={candidates}
        onChange={setUuid}
      />
    </CommandDialog>
  );
}

/** Keeps an address for the VM of a name, or from every one. */
export function ReserveDialog(props: { readonly address: string | undefined; readonly onClose: () => void }) {
  const [address, setAddress] = useState(props.address ?? '');
  const [name, setName] = useState('');
  const isAddress = ifPossible(() => parsePrefix(address.trim())) !== undefined;
  return (
    <CommandDialog
      title={props.address === undefined ? texts.pools.reserveOne : texts.actions.reserveIt(props.address)}
      argv={isAddress ? reserveArgv(address.trim(), name) : undefined}
      submit={texts.actions.reserve}
      hasPreview={false}
      onClose={props.onClose}
    >
      {props.address === undefined && (
        <Line
          id="reserve-address"
          label={texts.dialog.address}
          value={address}
          hint=""
          onChange={setAddress}
        />
      )}
      <Line
        id="reserve-name"
        label={texts.dialog.reserveName}
        value={name}
        hint={texts.dialog.reserveHint}
        onChange={setName}
      />
    </CommandDialog>
  );
}

export const ReleaseDialog = (props: { readonly address: string; readonly onClose: () => void }) => (
  <CommandDialog
    title={texts.actions.releaseIt(props.address)}
    argv={releaseArgv(props.address)}
    submit={texts.actions.release}
    hasPreview={false}
    onClose={props.onClose}
  />
);
