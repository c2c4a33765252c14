import type { Context } from '../../host/context.ts';
import { hostUuid } from '../../libvirt/host-uuid.ts';
import { ownVersion } from '../../model/version.ts';
import { Attendance } from '../../repair/attendance.ts';

/** Keeps this host in the cluster's books, for as long as it runs. @param fresh what each round gets, with a deadline of its own */
export function attend(fresh: () => Context): void {
  const { host } = fresh();
  const uuid = hostUuid(host);
  const attendance = new Attendance(fresh, () => ({ version: ownVersion(), uuid }));
  process.on('SIGTERM', () => {
    attendance.stop();
    process.exit(0);
  });
  attendance.start();
}
