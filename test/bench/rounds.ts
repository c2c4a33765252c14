/**
 * Measures variants side by side: every round takes one sample of each, and every second round goes through them
 * backwards, so that a machine that grows slower (or busier) does so for all alike. The first round warms the
 * caches and isn't counted.
 */
export async function alternate<Name extends string, Sample>(
  variants: Readonly<Record<Name, (round: number) => Promise<Sample>>>,
  rounds: number,
): Promise<Record<Name, Sample[]>> {
  const names = Object.keys(variants) as Name[];
  const samples = Object.fromEntries(names.map(name => [name, []])) as unknown as Record<Name, Sample[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const sample = await variants[name](round);
      if (round > 0) samples[name].push(sample);
    }
  }
  return samples;
}
