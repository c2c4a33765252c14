/** How nft writes statements and expressions in JSON. */

/** The only entry of an object, as nft writes statements and expressions; nameless if the value isn't one. */
export const entryOf = (value: unknown): [string, unknown] =>
  (typeof value === 'object' && value !== null ? Object.entries(value)[0] : undefined) ?? ['', undefined];

/** What lies at a path of names; undefined where it ends early. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );

/** One value, several, or those of an anonymous set. */
export function valuesOf(right: unknown): readonly unknown[] {
  const values = at(right, 'set') ?? right;
  return Array.isArray(values) ? values : [values];
}

export const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

/** NaN if it is none: an object may refuse to be made into one. */
export const numberOf = (value: unknown): number => Number(wordOf(value) ?? Number.NaN);
