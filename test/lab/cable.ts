import { attempt, run } from './run.ts';
import { PATIENCE, until } from './wait.ts';

/** One `ip` for many commands: a thousand routes cost as much as one. */
export async function ip(netns: string, commands: readonly string[]): Promise<void> {
  await run(['nsenter', `--net=${netns}`, 'ip', '-batch', '-'], { input: commands.join('\n') });
}

/** Until the kernel has noticed that both ends of a cable are up, IPv6 addresses on it do nothing. */
export async function carrier(netns: string, device: string): Promise<void> {
  const show = ['nsenter', `--net=${netns}`, 'ip', '-o', 'link', 'show', 'dev', device];
  await until(
    async () => (await run(show)).includes(' state UP '),
    PATIENCE,
    `carrier on ${device} in ${netns}`,
  );
}

/** Takes a device away, which may be gone already: a namespace that ends takes its devices along, but in its own time. */
export async function pull(netns: string, device: string): Promise<void> {
  const { code, stderr } = await attempt(['nsenter', `--net=${netns}`, 'ip', 'link', 'del', device]);
  if (code !== 0 && !/Cannot find device|No such device/.test(stderr)) throw new Error(stderr);
}
