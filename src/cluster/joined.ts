/** Whether this host takes part in the cluster that hnet.toml names. */
import { readIfThere, removeWhole, writeAtomically } from '../host/files.ts';
import type { ClusterSettings } from '../model/config.ts';
import { CLUSTER_STATE } from '../model/names.ts';
import { quote, Refusal } from '../model/refusal.ts';

const FILE = `${CLUSTER_STATE}/joined`;

/** The cluster that it has joined. */
export const joined = (): string | undefined => readIfThere(FILE)?.trim();
export const noteJoined = (name: string): void => writeAtomically(FILE, `${name}\n`);
export const noteLeft = (): void => removeWhole(FILE);

/** Refuses to give addresses on a host whose own the others don't know yet. */
export function refuseUnjoined({ name }: Pick<ClusterSettings, 'name'>): void {
  const now = joined();
  if (now === name) return;
  throw new Refusal(
    now === undefined
      ? `This host hasn't joined the cluster ${quote(name)} of hnet.toml; hnet cluster join does it`
      : `This host is in the cluster ${quote(now)}, and hnet.toml says ${quote(name)}; hnet cluster join joins that one`,
  );
}
