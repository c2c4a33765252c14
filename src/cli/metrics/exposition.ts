import { visible } from '../../model/refusal.ts';

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: bigint | number];

/** A metric of a name, with a sample for each set of labels. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  /** What it says, in a sentence. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** One without labels. */
export const single = (name: string, help: string, value: bigint | number): Metric => ({
  name,
  type: name.endsWith('_total') ? 'counter' : 'gauge',
  help,
  samples: [[{}, value]],
});

/** Metrics in the text exposition format, version 0.0.4, as node_exporter's textfile collector reads it. */
export const exposition = (metrics: readonly Metric[]): string => metrics.map(written).join('');

function written({ name, type, help, samples }: Metric): string {
  const lines = samples.map(([labels, value]) => `${name}${braced(labels)} ${value}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function braced(labels: Sample[0]): string {
  const pairs = Object.entries(labels).map(label).join(',');
  return pairs === '' ? '' : `{${pairs}}`;
}

/** What a terminal obeys is written out first; then backslash and quote are escaped: the format knows no other escape. */
const label = ([key, value]: readonly [string, string]): string =>
  `${key}="${visible(value).replace(/[\\"]/g, '\\$&')}"`;
