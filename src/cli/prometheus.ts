import { visible } from '../model/refusal.ts';

type Sample = readonly [labels: Readonly<Record<string, string>>, value: bigint];

/** A counter in the text exposition format, version 0.0.4, as node_exporter's textfile collector reads it. */
export function prometheus(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(
    ([labels, value]) => `${name}{${Object.entries(labels).map(label).join(',')}} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${lines.join('')}`;
}

/** What a terminal obeys is written out first; then backslash and quote are escaped: the format knows no other escape. */
const label = ([key, value]: readonly [string, string]): string =>
  `${key}="${visible(value).replace(/[\\"]/g, '\\$&')}"`;
