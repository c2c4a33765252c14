import type { Context } from '../../host/context.ts';
import { Host } from '../../host/host.ts';
import type { Config } from '../../model/config.ts';
import { loadConfig } from '../../state/config-file.ts';
import { type Output, say } from '../output.ts';
import { type ColourChoice, takesColour } from '../terminal.ts';

/** What is said of the program as a whole. */
export interface Manner {
  readonly trace?: boolean;
  readonly quiet?: boolean;
  readonly color: ColourChoice;
}

/** What every command gets. */
export function makeContext({ trace, quiet, color }: Manner, output: Output): Context {
  const { print, warn, answer, stream, progress } = output;
  const host = trace ? new Host({ trace: line => say(process.stderr, `+ ${line}`) }) : new Host();
  let config: Config | undefined;
  return {
    print,
    warn,
    // A line that comes and goes is in the way of a trace.
    progress: quiet || trace ? () => undefined : progress,
    answer,
    stream,
    host,
    config: () => {
      config ??= loadConfig();
      return config;
    },
    colour: takesColour(color, process.env, process.stdout.isTTY === true),
  };
}
