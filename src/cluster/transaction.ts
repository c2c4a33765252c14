/** A transaction as the standard input of `etcdctl txn` has it. */

/** What must be so. A key that isn't there has the revision 0. */
export type Compare =
  | { readonly key: string; readonly value: string }
  | { readonly key: string; readonly revision: number };

export type Change =
  | {
      readonly put: string;
      readonly value: string;
      /** The lease with which it goes. */
      readonly lease?: string;
    }
  | { readonly delete: string };
type Operation = Change | { readonly get: string } | { readonly getAll: string };

/** All of `success` if all of `compare` is so, or else all of `failure`. */
export interface Transaction {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** Each part ends with an empty line. */
export const renderTransaction = ({ compare, success, failure }: Transaction): string =>
  [compare.map(compareLine), success.map(operationLine), failure.map(operationLine)]
    .map(lines => lines.map(line => `${line}\n`).join(''))
    .map(part => `${part}\n`)
    .join('');

const compareLine = (one: Compare): string =>
  'value' in one
    ? `value(${goQuote(one.key)}) = ${goQuote(one.value)}`
    : `mod(${goQuote(one.key)}) = "${one.revision}"`;

function operationLine(one: Operation): string {
  if ('put' in one) {
    const lease = one.lease === undefined ? '' : ` --lease=${one.lease}`;
    return `put ${goQuote(one.put)} ${goQuote(one.value)}${lease}`;
  }
  if ('delete' in one) return `del ${goQuote(one.delete)}`;
  return 'get' in one ? `get ${goQuote(one.get)}` : `get --prefix ${goQuote(one.getAll)}`;
}

/**
 * A text as Go's strconv.Unquote reads it, by which etcdctl reads its lines. Each byte that isn't plain ASCII is written as
 * `\xNN`: a name may hold anything, and neither a line nor a word may end in it.
 */
export const goQuote = (text: string): string =>
  `"${[...Buffer.from(text)].map(byte => (isPlain(byte) ? String.fromCharCode(byte) : escaped(byte))).join('')}"`;

const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
const escaped = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;
