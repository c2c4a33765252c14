import { visible } from '../../../src/model/refusal.ts';
import type { Whereabouts } from '../model/overview.ts';
import { texts } from '../texts.ts';

/** Which host of the cluster has a VM, and where it goes. Null: none is known to. */
export function hostText(host: Whereabouts | null): string {
  if (host === null) return texts.away.nowhere;
  return host.to === null ? visible(host.name) : texts.away.to(visible(host.name), visible(host.to));
}
