import type { Context } from '../../host/context.ts';
import { Host } from '../../host/host.ts';
import type { Config } from '../../model/config.ts';
import { printable } from '../../model/refusal.ts';
import { loadConfig } from '../../state/config-file.ts';

/** What every command gets. */
export function makeContext(options: { trace?: boolean }): Context {
  const say = (stream: NodeJS.WriteStream, line: string): void => void stream.write(`${printable(line)}\n`);
  const trace = (line: string): void => say(process.stderr, `+ ${line}`);
  const host = options.trace ? new Host({ trace }) : new Host();
  let config: Config | undefined;
  return {
    print: line => say(process.stdout, line),
    warn: line => say(process.stderr, `hnet: ${line}`),
    host,
    config: () => {
      config ??= loadConfig();
      return config;
    },
    colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  };
}
