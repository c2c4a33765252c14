import type { Outcome } from '../lab/run.ts';
import { COMMAND } from './build.ts';
import { expectPromised } from './promised.ts';
import type { Scene } from './scene.ts';

/** Runs hnet on a scene's host. What it answers to `--json` is held against its schema. */
export async function hnet({ host }: Scene, ...argv: readonly string[]): Promise<Outcome> {
  const outcome = await host.attempt([process.execPath, COMMAND, ...argv]);
  expectPromised(argv, outcome);
  return outcome;
}

/** Runs hnet, which must succeed, and gives back what it printed, a line each. */
export async function ok(scene: Scene, ...argv: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await hnet(scene, ...argv);
  if (code !== 0) throw new Error(`hnet ${argv.join(' ')}: exit code ${code}\n${stdout}\n${stderr}`);
  return stdout.split('\n').filter(line => line !== '');
}

/** The commands of a trace that change something. */
export function changing(trace: string): string[] {
  const commands = trace.split('\n').flatMap(line => /^\+ (.*)$/.exec(line)?.[1] ?? []);
  return commands.filter(command => !READING.some(pattern => pattern.test(command)));
}

const READING = [
  /^ip (-6 )?-json /,
  /^ipset save$/,
  /^ipset restore$/,
  /^ip6?tables(-nft|-legacy)?-save\b/,
  /^iptables -V$/,
  /^ss /,
  /^nft (-t )?-j list /,
  /^nft -j -t list /,
  /^virsh /,
  /^ip xfrm policy$/,
];
