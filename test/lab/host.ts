import { endMachine } from './ground.ts';
import { Guest, type GuestOptions } from './guest.ts';
import { hold, makeNetns } from './hold.ts';
import { Machine } from './machine.ts';
import type { Provider } from './provider.ts';
import type { Site } from './site.ts';

/** A machine at the provider, with `eth0` as its uplink, that can have guests. */
export class Host extends Machine {
  readonly site: Site;
  protected readonly dir: string;
  protected readonly provider: Provider;
  #guests = 0;

  protected constructor(dir: string, provider: Provider, site: Site, netns: string, leader: number) {
    super(site.name, netns, leader);
    this.dir = dir;
    this.provider = provider;
    this.site = site;
  }

  static async create(dir: string, provider: Provider, site: Site): Promise<Host> {
    const netns = await makeNetns(dir, site.name);
    await provider.connect(site, netns);
    return new Host(dir, provider, site, netns, await hold(dir, site.name, netns));
  }

  get address(): string {
    return this.site.address;
  }

  get address6(): string {
    return this.site.address6;
  }

  /** Plugs a stand-in for a VM into a bridge of this host. */
  async guest(options: GuestOptions): Promise<Guest> {
    this.#guests += 1;
    return Guest.create(this.dir, this, this.#guests, options);
  }

  /** Takes this machine away with its guests; the lab's own removal does so too. */
  async remove(): Promise<void> {
    endMachine(this.dir, this.name);
    await this.provider.disconnect(this.site);
  }
}
