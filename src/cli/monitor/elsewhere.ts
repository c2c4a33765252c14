/** What the other hosts of a cluster have. */
import { heldElsewhere } from '../../assign/elsewhere.ts';
import { type Apart, apartBeside } from '../../cluster/apart.ts';
import type { Contents } from '../../cluster/contents.ts';
import type { Context } from '../../host/context.ts';
import type { Host } from '../../host/host.ts';
import type { Config } from '../../model/config.ts';
import { Refusal, reason } from '../../model/refusal.ts';

/** After what time a silent etcd is asked again, in milliseconds: each time nothing else is seen for seconds. */
const SILENCE = 15_000;

/** Reads it for each look. While etcd is silent what was read last still holds, for nobody can change it. */
export class Neighbourhood {
  #contents: Contents | undefined;
  #silentUntil = 0;
  #silence: string | undefined;

  /** Undefined where this host is alone, or etcd has never answered. */
  look(context: Context): Contents | undefined {
    if (Date.now() < this.#silentUntil) return this.#contents;
    try {
      this.#contents = heldElsewhere(context);
      this.#silence = undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#silentUntil = Date.now() + SILENCE;
      this.#silence = reason(error);
    }
    return this.#contents;
  }

  /** What keeps this host apart from its cluster; of etcd what the last look found. */
  apart({ cluster }: Pick<Config, 'cluster'>, host: Host): Apart[] {
    if (cluster === undefined) return [];
    const etcd = this.#silence === undefined ? [] : [{ what: 'etcd', why: this.#silence } as const];
    return [...etcd, ...apartBeside(cluster, host)];
  }
}
