/** Which domains this host ran last, by etcd's word: those it starts while etcd is silent. A file each, for starts run side by side. */
import { existsSync } from 'node:fs';
import { removeWhole, writeAtomically } from '../host/files.ts';
import { CLUSTER_STATE } from '../model/names.ts';

const DIRECTORY = `${CLUSTER_STATE}/held`;
const fileOf = (uuid: string): string => `${DIRECTORY}/${uuid}`;

export const isHeld = (uuid: string): boolean => existsSync(fileOf(uuid));

export function noteHeld(uuid: string, name: string): void {
  if (!isHeld(uuid)) writeAtomically(fileOf(uuid), `${JSON.stringify(name)}\n`);
}

/** It runs elsewhere from now on. */
export const letGo = (uuid: string): void => removeWhole(fileOf(uuid));
