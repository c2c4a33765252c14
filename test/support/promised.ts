import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import type { Outcome } from '../lab/run.ts';

const DIRECTORY = fileURLToPath(new URL('../../docs/schema', import.meta.url));

/** Schema by the name of its file, as docs/schema has it. */
export const SCHEMAS: ReadonlyMap<string, AnySchemaObject> = new Map(
  readdirSync(DIRECTORY)
    .filter(name => name.endsWith('.json'))
    .map(name => [
      name.replace(/\.json$/, ''),
      JSON.parse(readFileSync(`${DIRECTORY}/${name}`, 'utf8')) as AnySchemaObject,
    ]),
);

/**
 * The same schema, for hnet itself: it has no key that isn't described. Programs must take further keys, which later
 * versions may have.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return 'properties' in schema && !('additionalProperties' in schema)
    ? { ...parts, additionalProperties: false }
    : parts;
}

const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
for (const schema of SCHEMAS.values()) ajv.addSchema(closed(schema) as AnySchemaObject);

/** What an answer has that its schema doesn't allow; nothing if it keeps to it. */
export function breaches(name: string, answer: unknown): string {
  const schema = SCHEMAS.get(name);
  if (schema?.$id === undefined) return `there is no docs/schema/${name}.json`;
  const validate = ajv.getSchema(schema.$id);
  return validate?.(answer) === true ? '' : ajv.errorsText(validate?.errors, { dataVar: name });
}

/** Commands that answer in another way if they are given more words, or an option. */
export const VARIANTS: Readonly<
  Record<
    string,
    {
      readonly schema: string;
      readonly isMeant: (words: readonly string[], argv: readonly string[]) => boolean;
    }
  >
> = {
  doctor: { schema: 'doctor-domain', isMeant: words => words.length > 1 },
  firewall: { schema: 'firewall-change', isMeant: words => words.length > 2 },
  host: { schema: 'host-check', isMeant: (_, argv) => argv.includes('--check') },
  history: { schema: 'history-at', isMeant: (_, argv) => argv.includes('--at') },
  traffic: { schema: 'traffic-month', isMeant: (_, argv) => argv.includes('--by') },
};

/** The schema that a command line's answer keeps to. */
export function schemaOf(argv: readonly string[]): string {
  const first = argv.findIndex((word, place) => !word.startsWith('-') && argv[place - 1] !== '--color');
  const words = argv.slice(first).filter(word => !word.startsWith('-'));
  const [command = '', below = ''] = words;
  if (SCHEMAS.has(`${command}-${below}`)) return `${command}-${below}`;
  const variant = VARIANTS[command];
  return variant?.isMeant(words, argv) === true ? variant.schema : command;
}

/** That a command with `--json` has kept what docs/json.md promises, whatever came of it. Every test's command is asked. */
export function expectPromised(argv: readonly string[], { code, stdout }: Outcome): void {
  if (!argv.includes('--json') || code >= 128) return;
  const told = `hnet ${argv.join(' ')}, exit code ${code}: ${stdout}`;
  const answer = JSON.parse(stdout) as Record<string, unknown>;
  expect('error' in answer, told).to.equal(code === 1 || code === 2);
  // What was done in part says what was done, beside the error.
  const isWhole = !('error' in answer) || Object.keys(answer).length > 2;
  expect(breaches(isWhole ? schemaOf(argv) : 'error', answer), told).to.equal('');
}
