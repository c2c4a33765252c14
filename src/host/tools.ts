/** Where programs lie: here and nowhere else, for libvirtd may call the hook with no PATH at all. */
import { statSync } from 'node:fs';

const PLACES = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export const PATH = PLACES.join(':');

/** What every program that hnet runs finds in its environment; etcdctl before 3.4 would speak the protocol before etcd 3. */
export const ENVIRONMENT = { PATH, LC_ALL: 'C', ETCDCTL_API: '3' };

/** Where a program is installed; undefined where it isn't. @param isThere for a host that is only described, as in the doctor's tests */
export const placeOf = (
  name: string,
  isThere: (path: string) => boolean = isExecutable,
): string | undefined => PLACES.map(place => `${place}/${name}`).find(isThere);

/** Whether a program is installed, as {@link placeOf} says. */
export const hasTool = (name: string, isThere?: (path: string) => boolean): boolean =>
  placeOf(name, isThere) !== undefined;

const isExecutable = (path: string): boolean =>
  ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0;
