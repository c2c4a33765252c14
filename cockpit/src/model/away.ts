/** VMs of the cluster's other hosts. */
import type { ElsewhereShown } from './lines.ts';
import type { HostState } from './seen.ts';

type Known = Pick<HostState, 'domains' | 'elsewhere'>;

/** Those that aren't here. A copy that doesn't run here is shown where its VM runs. */
export const awayIn = ({ domains, elsewhere }: Known): readonly ElsewhereShown[] =>
  (elsewhere ?? []).filter(({ uuid, state }) => {
    const here = domains.get(uuid)?.state;
    return here === undefined || (here === 'stopped' && state === 'running');
  });

/** The domains of this host without such copies. */
export function hereIn(state: Known): HostState['domains'] {
  const away = new Set(awayIn(state).map(({ uuid }) => uuid));
  return new Map([...state.domains].filter(([uuid]) => !away.has(uuid)));
}
