/** What may go wrong while a VM moves, and when. */
import type { Cluster } from '../lab/cluster/cluster.ts';
import type { Hypervisor } from '../lab/hypervisor.ts';
import type { Outcome } from '../lab/run.ts';
import type { Vm } from '../lab/vm.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { traceOf } from './scar.ts';

export interface Scene {
  readonly cluster: Cluster;
  readonly vm: Vm;
  readonly uuid: string;
  readonly source: Hypervisor;
  readonly destination: Hypervisor;
}

/** A move that stands still in a state. */
interface Held {
  readonly move: Promise<Outcome>;
  /** Lets it go on. */
  readonly goOn: () => Promise<void>;
}

/** MiB in a second: too slow to come to an end, and as fast as may be. */
const [SLOW, FAST] = ['1', '100000'];

async function have({ uuid }: Scene, host: Hypervisor, ...wanted: readonly number[]): Promise<void> {
  const is = async () => (await traceOf(host, uuid)).metrics.join() === wanted.join();
  await until(is, PATIENCE, `metrics ${wanted.join(', ')} on ${host.name}`);
}

const speed = ({ source, vm }: Scene, value: string): Promise<unknown> =>
  source.attempt(['timeout', '5', 'virsh', '-q', 'migrate-setspeed', vm.name, value]);

async function copying(scene: Scene): Promise<Held> {
  await speed(scene, SLOW);
  const move = scene.cluster.attemptMigrate(scene.vm, scene.destination);
  await have(scene, scene.destination, 175, 175);
  const begun = async () =>
    /Data processed: +[1-9]/.test(
      (await scene.source.attempt(['virsh', 'domjobinfo', scene.vm.name])).stdout,
    );
  await until(begun, PATIENCE, 'the copy');
  return { move, goOn: async () => void (await speed(scene, FAST)) };
}

/** The source has stopped the VM, and libvirt at the destination doesn't let it go on. */
async function leaving(scene: Scene): Promise<Held> {
  const { move, goOn } = await copying(scene);
  await scene.destination.unit('libvirtd').freeze();
  await goOn();
  await have(scene, scene.source, 190, 190);
  // It may have been killed meanwhile, or be about to be started again.
  const thaw = ['systemctl', 'kill', '--kill-whom=main', '--signal=CONT', 'libvirtd'];
  return { move, goOn: async () => void (await scene.destination.attempt(thaw)) };
}

async function moved(scene: Scene, ...metrics: number[]): Promise<Held> {
  await speed(scene, FAST);
  const outcome = await scene.cluster.attemptMigrate(scene.vm, scene.destination);
  await have(scene, scene.destination, ...metrics);
  return { move: Promise.resolve(outcome), goOn: async () => undefined };
}

export const MOMENTS = {
  copying,
  leaving,
  arrived: (scene: Scene) => moved(scene, 50, 50),
  settled: (scene: Scene) => moved(scene, 0, 100),
} as const;
export type Moment = keyof typeof MOMENTS;

export interface Trouble {
  readonly begin: (scene: Scene) => Promise<unknown>;
  /** What is waited for before it ends. */
  readonly until?: (scene: Scene) => Promise<unknown>;
  readonly end?: (scene: Scene) => Promise<unknown>;
  /** Whether nothing of the move goes on meanwhile. */
  readonly holds?: boolean;
  /** Where it can happen; by default in each of them. */
  readonly moments?: readonly Moment[];
}

type Place = 'source' | 'destination';
const PLACES: readonly Place[] = ['source', 'destination'];

/** One of the daemon's processes on a host, which starts it again. */
const killChild = (host: Hypervisor, verb: string): Promise<unknown> =>
  host.run(['pkill', '-KILL', '-f', `hnet.cjs ${verb}`]);
const killFollower = (host: Hypervisor): Promise<unknown> => killChild(host, 'follow');
const BEFORE: readonly Moment[] = ['copying', 'leaving'];

/** The same on each of the two. */
const onEach = (name: string, make: (place: Place) => Trouble): [string, Trouble][] =>
  PLACES.map(place => [`${name} ${place}`, make(place)]);

/** What may become of our own files in /run. */
const HARMS = {
  removed: 'find /run/hnet -type f -delete',
  damaged: `find /run/hnet -type f -exec sh -c 'echo damaged >"$0"' {} \\;`,
} as const;

/** For how long it is looked whether packets are led to where it doesn't run, in milliseconds: the daemon rebuilds what is lost. */
const REBUILT = 15_000;

/** What is rebuilt meanwhile says of no host that it is there where it doesn't run. */
async function staysWhereItRuns({ uuid, source, destination }: Scene): Promise<void> {
  for (const end = Date.now() + REBUILT; Date.now() < end; )
    for (const host of [source, destination]) {
      const { standing = '', metrics } = await traceOf(host, uuid);
      const isLed = metrics.some(one => [0, 50, 100].includes(one));
      if (isLed && standing !== '' && !standing.startsWith('running'))
        throw new Error(`${host.name} leads packets to it, and there it is ${standing}: ${metrics}`);
    }
}

const seconds = (count: number) => () => new Promise(resolve => setTimeout(resolve, count * 1000));

export const TROUBLES: Readonly<Record<string, Trouble>> = Object.fromEntries([
  ...onEach('the follower is killed at the', place => ({ begin: scene => killFollower(scene[place]) })),
  ...onEach('the daemon is restarted at the', place => ({
    // It waits for libvirt, which may hang by then.
    begin: scene => scene[place].run(['systemctl', 'restart', '--no-block', 'hnet-watch']),
  })),
  ...onEach('the daemon is stopped for 20 s at the', place => ({
    begin: scene => scene[place].run(['systemctl', 'stop', '--no-block', 'hnet-watch']),
    until: seconds(20),
    end: scene => scene[place].unit('hnet-watch').start(),
  })),
  [
    'no daemon runs for 20 s',
    {
      begin: ({ cluster }) =>
        Promise.all(cluster.hosts.map(host => host.run(['systemctl', 'stop', '--no-block', 'hnet-watch']))),
      until: seconds(20),
      end: ({ cluster }) => Promise.all(cluster.hosts.map(host => host.unit('hnet-watch').start())),
    },
  ],
  ...onEach('the host is no more attended to at the', place => ({
    begin: scene => killChild(scene[place], 'attend'),
  })),
  [
    'etcd hangs for 20 s, and both followers are killed',
    {
      begin: async ({ cluster }) => {
        await cluster.etcd.freeze();
        await Promise.all(cluster.hosts.map(killFollower));
      },
      until: seconds(20),
      end: ({ cluster }) => cluster.etcd.go(),
    },
  ],
  ...onEach('libvirtd is restarted at the', place => ({
    begin: scene => scene[place].unit('libvirtd').restart(),
  })),
  ...onEach('libvirtd is killed at the', place => ({
    begin: scene => scene[place].unit('libvirtd').kill(),
  })),
  ...onEach('libvirtd hangs for 40 s at the', place => ({
    begin: scene => scene[place].unit('libvirtd').freeze(),
    holds: true,
    until: seconds(40),
    end: scene => scene[place].unit('libvirtd').go(),
  })),
  ...onEach('BIRD is restarted at the', place => ({ begin: scene => scene[place].unit('bird').restart() })),
  ...onEach('BIRD is stopped for 15 s at the', place => ({
    begin: scene => scene[place].unit('bird').stop(),
    until: seconds(15),
    end: scene => scene[place].unit('bird').start(),
  })),
  [
    'etcd is stopped for 20 s',
    {
      begin: ({ cluster }) => cluster.etcd.stop(),
      until: seconds(20),
      end: ({ cluster }) => cluster.etcd.start(),
    },
  ],
  [
    'etcd hangs for 20 s',
    {
      begin: ({ cluster }) => cluster.etcd.freeze(),
      until: seconds(20),
      end: ({ cluster }) => cluster.etcd.go(),
    },
  ],
  ...onEach('the wire is cut for 45 s at the', place => ({
    begin: scene => scene[place].cut('wire'),
    until: seconds(45),
    end: scene => scene[place].mend('wire'),
  })),
  ...onEach('the host hangs for 45 s, the', place => ({
    begin: scene => scene[place].freeze(),
    holds: true,
    until: seconds(45),
    end: scene => scene[place].go(),
  })),
  ...Object.entries(HARMS).flatMap(([what, harm]) =>
    onEach(`every file of /run/hnet is ${what} at the`, place => ({
      begin: scene => scene[place].sh(harm),
      holds: true,
      until: staysWhereItRuns,
    })),
  ),
  [
    'it is cancelled',
    { begin: ({ source, vm }) => source.attempt(['virsh', 'domjobabort', vm.name]), moments: BEFORE },
  ],
  [
    'QEMU is killed at the destination',
    {
      begin: ({ destination, uuid }) => destination.run(['pkill', '-9', '-f', `uuid ${uuid}`]),
      moments: BEFORE,
    },
  ],
  [
    'QEMU hangs for 15 s at the destination',
    {
      begin: ({ destination, uuid }) => destination.run(['pkill', '-STOP', '-f', `uuid ${uuid}`]),
      until: seconds(15),
      end: ({ destination, uuid }) => destination.attempt(['pkill', '-CONT', '-f', `uuid ${uuid}`]),
    },
  ],
] satisfies [string, Trouble][]);
