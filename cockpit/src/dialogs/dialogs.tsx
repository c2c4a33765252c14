import type { HostState } from '../model/seen.ts';
import { AssignDialog } from './assign.tsx';
import { CommandDialog } from './command-dialog.tsx';
import { MoveDialog, ReleaseDialog, ReserveDialog, UnassignDialog } from './others.tsx';
import { AddRuleDialog } from './rule.tsx';
import type { Wish } from './wishes.ts';

interface Props {
  readonly wish: Wish;
  readonly state: HostState;
  readonly onClose: () => void;
}

/** The dialog for what somebody wants to do. */
export function Dialog({ wish, state, onClose }: Props) {
  const common = { state, onClose };
  switch (wish.is) {
    case 'assign':
      return <AssignDialog {...common} address={wish.address} party={wish.party} />;
    case 'unassign':
      return <UnassignDialog {...common} address={wish.address} party={wish.party} />;
    case 'move':
      return <MoveDialog {...common} address={wish.address} party={wish.party} />;
    case 'reserve':
      return <ReserveDialog address={wish.address} onClose={onClose} />;
    case 'release':
      return <ReleaseDialog address={wish.address} onClose={onClose} />;
    case 'add rule':
      return <AddRuleDialog party={wish.party} rules={wish.rules} onClose={onClose} />;
    case 'confirm':
      return (
        <CommandDialog
          title={wish.title}
          argv={wish.argv}
          submit={wish.title}
          isDanger={wish.isDanger ?? false}
          onClose={onClose}
        />
      );
  }
}
