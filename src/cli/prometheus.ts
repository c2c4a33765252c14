type Sample = readonly [labels: Readonly<Record<string, string>>, value: bigint];

/** A counter in the text exposition format, version 0.0.4, as node_exporter's textfile collector reads it. */
export function prometheus(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(
    ([labels, value]) => `${name}{${Object.entries(labels).map(label).join(',')}} ${value}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${lines.join('')}`;
}

/** Backslash, quote and newline of a value are escaped. */
const label = ([key, value]: readonly [string, string]): string =>
  `${key}="${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
