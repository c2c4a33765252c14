import type { Background } from '../lab/background.ts';
import type { Machine } from '../lab/machine.ts';
import { PATIENCE, until } from '../lab/wait.ts';

const PROGRAM = '/usr/lib/cockpit/cockpit-ws';

/** Whose session a web server of Cockpit's is, and the port that it listens on. */
export interface Session {
  readonly user: 'root' | 'ann';
  readonly port: number;
}

export const ADMINISTRATOR: Session = { user: 'root', port: 9091 };
/** Somebody with an account of her own; see {@link addUser}. */
export const ANN: Session = { user: 'ann', port: 9092 };
export const PASSWORD = 'correct horse';

/** Starts Cockpit's web server for one session without a login, and waits until it listens. */
export async function startCockpit(machine: Machine, { user, port }: Session): Promise<Background> {
  const runtime = `/run/cockpit-of-${user}`;
  await machine.run(['install', '-d', '-m', '700', '-o', user, runtime]);
  const home = await machine.sh(`getent passwd ${user} | cut -d: -f6`);
  const session = [
    '--local-session=/usr/bin/cockpit-bridge',
    '--no-tls',
    '--address=127.0.0.1',
    `--port=${port}`,
  ];
  const environment = [`XDG_RUNTIME_DIR=${runtime}`, `HOME=${home}`, `USER=${user}`, 'LC_ALL=C.UTF-8'];
  const as = user === 'root' ? [] : ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups'];
  const server = machine.start(['env', '-C', home, ...environment, ...as, PROGRAM, ...session]);
  await until(() => isListening(machine, port), PATIENCE, `cockpit-ws of ${user}`);
  return server;
}

export async function isListening(machine: Machine, port: number): Promise<boolean> {
  return (await machine.run(['ss', '-ltnH', `sport = ${port}`])) !== '';
}

/** Gives a machine the account ann, who may use sudo, with {@link PASSWORD}. */
export async function addUser(machine: Machine): Promise<void> {
  await machine.sh(
    `useradd --create-home --shell /bin/sh --groups sudo ann\necho 'ann:${PASSWORD}' | chpasswd`,
  );
}
