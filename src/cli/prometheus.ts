/** A counter with its samples. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: bigint }[];
}

/** The text exposition format, version 0.0.4, as node_exporter's textfile collector reads it. */
export function prometheus(metrics: readonly Metric[]): string {
  return metrics.map(render).join('');
}

function render({ name, help, samples }: Metric): string {
  const lines = samples.map(
    ({ labels, value }) => `${name}{${Object.entries(labels).map(label).join(',')}} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${lines.join('')}`;
}

/** A label; backslash, quote and newline of its value are escaped. */
function label([key, value]: readonly [string, string]): string {
  return `${key}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}
