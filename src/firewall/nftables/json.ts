import * as v from 'valibot';
import { Refusal, reason } from '../../model/refusal.ts';

const listing = v.object({ nftables: v.array(v.unknown()) });

/** The objects that `nft -j list …` prints; none for an empty text. @throws Refusal if it isn't a listing */
export function objectsIn(text: string): readonly unknown[] {
  if (text.trim() === '') return [];
  try {
    return v.parse(listing, JSON.parse(text)).nftables;
  } catch (error) {
    throw new Refusal(`Cannot read nft's listing: ${reason(error)}`);
  }
}
