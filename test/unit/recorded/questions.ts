/** What is asked of `ip`, as hnet asks it. */
export const IP_QUESTIONS = {
  links: ['address', 'show'],
  routes: ['route', 'show', 'table', 'all', 'proto', '104'],
  rules: ['rule', 'show'],
} as const;

/** And of the others. */
export const TOOLS = {
  listeners: ['ss', '-Hlntup'],
  iptables: ['iptables', '-V'],
} as const;

/** What the tools of a release printed: for the filter in the order of its commands. */
export interface Recorded {
  readonly printed: readonly string[];
  readonly ip: Readonly<Record<string, string>>;
  readonly tools: Readonly<Record<string, string>>;
}
