import { visible } from '../../../src/model/refusal.ts';

/** A domain's name, which may hold anything: what doesn't show itself is written out, and it doesn't turn what follows. */
export function Name({ name }: { readonly name: string }) {
  const shown = visible(name);
  return (
    <bdi className="hnet-name" title={shown}>
      {shown}
    </bdi>
  );
}
