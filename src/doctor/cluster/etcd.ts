import { etcdctl } from '../../cluster/etcdctl.ts';
import type { EtcdSettings } from '../../model/config.ts';
import { type Diagnosis, diagnosis, EDIT } from '../diagnosis.ts';
import { clusterOf, type Facts } from '../facts.ts';

/** Each member is asked by itself: one that is silent is seen while the others still have a quorum. */
export function checkEtcd(facts: Facts): Diagnosis[] {
  const etcd = clusterOf(facts)?.etcd;
  if (etcd === undefined) return [];
  const silent = etcd.endpoints.filter(one => !answers({ ...etcd, endpoints: [one] }, facts));
  const isLost = silent.length > (etcd.endpoints.length - 1) / 2;
  return [
    ...(silent.length === 0
      ? []
      : diagnosis(
          `etcd doesn't answer at ${silent.join(', ')}`,
          isLost
            ? 'without a quorum no address is given and no VM moves; those that run go on'
            : 'the others have a quorum; when one more is lost, no address is given and no VM moves',
          'systemctl status etcd  # there',
        )),
    ...(isLost ? [] : checkMembers(etcd, facts)),
    ...checkPlain(etcd),
  ];
}

const answers = (etcd: EtcdSettings, { output }: Facts): boolean =>
  output(...etcdctl(etcd), 'endpoint', 'health') !== '';

function checkMembers(etcd: EtcdSettings, { output }: Facts): Diagnosis[] {
  const count = output(...etcdctl(etcd), 'member', 'list').match(/"ID":/g)?.length ?? 0;
  const mend =
    'etcdctl member add NAME --peer-urls=http://ADDRESS:2380  # a small machine will do as the third';
  if (count === 1)
    return diagnosis('etcd has one member', 'when that is down, no address is given and no VM moves', mend);
  if (count === 0 || count % 2 === 1) return [];
  return diagnosis(
    `etcd has ${count} members`,
    count === 2
      ? 'it needs both of them, so two fail sooner than one'
      : `it bears the loss of no more of them than ${count - 1} do`,
    mend,
  );
}

/** Its own port of a host that is alone with the others on the wire is nobody else's business; but who is on it knows. */
function checkPlain({ endpoints }: EtcdSettings): Diagnosis[] {
  const plain = endpoints.filter(one => one.startsWith('http://') && !/^http:\/\/(127\.|\[::1\])/.test(one));
  return plain.length === 0
    ? []
    : diagnosis(
        `etcd is spoken to without encryption at ${plain.join(', ')}`,
        'whoever reaches the wire can give addresses to other VMs',
        `${EDIT}  # https, with ca, cert and key; or keep all but the hosts off the wire`,
      );
}
