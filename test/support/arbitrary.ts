import fc from 'fast-check';
import { bits, contains, type Family, type Prefix } from '../../src/model/prefix.ts';

/** Generators for fast-check: values of the pure floors, all of them valid. */
const prefixOf = (family: Family): fc.Arbitrary<Prefix> =>
  fc
    .tuple(
      fc.bigInt({ min: 0n, max: (1n << BigInt(bits(family))) - 1n }),
      fc.integer({ min: 0, max: bits(family) }),
    )
    .map(([value, length]) => {
      const host = BigInt(bits(family) - length);
      return { family, first: (value >> host) << host, length };
    })
    // ::ffff:0:0/96 and what lies in it is IPv4 in disguise, and refused.
    .filter(prefix => family === 4 || !contains(MAPPED, prefix));

const MAPPED: Prefix = { family: 6, first: 0xffffn << 32n, length: 96 };

export const prefix: fc.Arbitrary<Prefix> = fc.oneof(prefixOf(4), prefixOf(6));
export const prefix4 = prefixOf(4);

export const address4: fc.Arbitrary<Prefix> = fc
  .bigInt({ min: 0n, max: 0xffffffffn })
  .map(first => ({ family: 4, first, length: 32 }));

export const address6: fc.Arbitrary<Prefix> = prefixOf(6).map(one => ({ ...one, length: 128 }));

export const uuid: fc.Arbitrary<string> = fc.uuid();

/** Text as users write it who mean no good: markup, quotes, newlines, escape codes, and what is valid, cut. */
export const hostile: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'<>&;"\'/=!?[]-#x0:. \n\r\t\u001b\0aé'), maxLength: 60 }),
);
