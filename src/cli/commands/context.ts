import type { Context } from '../../host/context.ts';
import { Host } from '../../host/host.ts';
import type { Config } from '../../model/config.ts';
import { loadConfig } from '../../state/config-file.ts';

/** What every command gets. */
export function makeContext(options: { trace?: boolean }): Context {
  const host = options.trace ? new Host({ trace: line => process.stderr.write(`+ ${line}\n`) }) : new Host();
  let config: Config | undefined;
  return {
    print: line => void process.stdout.write(`${line}\n`),
    warn: line => void process.stderr.write(`hnet: ${line}\n`),
    host,
    config: () => {
      config ??= loadConfig();
      return config;
    },
    colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined,
  };
}
