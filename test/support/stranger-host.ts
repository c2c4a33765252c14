import type { Guest } from '../lab/guest.ts';
import type { Host } from '../lab/host.ts';
import type { Lab } from '../lab/lab.ts';
import { COMMAND, HOOK } from './build.ts';

const UUIDS = { vm1: '116', vm2: '117' } as const;
type Name = keyof typeof UUIDS;

export const POOLS = '["123.45.90.112/29", "123.45.53.11"]';

/** A host of the lab with the bundled hook, and somebody else's filter beside it. */
export class StrangerHost {
  readonly host: Host;
  readonly lab: Lab;

  private constructor(lab: Lab, host: Host) {
    this.lab = lab;
    this.host = host;
  }

  static async create(lab: Lab, backend: string, kind: 'nft' | 'legacy' = 'nft'): Promise<StrangerHost> {
    const host = await lab.host('h1');
    await host.write('/etc/hnet/hnet.toml', `pools = ${POOLS}\n[firewall]\nbackend = "${backend}"\n`);
    for (const tool of ['iptables', 'iptables-save', 'iptables-restore']) {
      const target = `/usr/sbin/${tool.replace('iptables', `iptables-${kind}`)}`;
      await host.run(['ln', '-sf', target, `/etc/alternatives/${tool}`]);
    }
    return new StrangerHost(lab, host);
  }

  base(direction: 'up' | 'down'): Promise<string> {
    return this.host.run([process.execPath, COMMAND, 'base', direction]);
  }

  /** One call of the hook, as libvirt makes it, which must succeed. */
  async hook(operation: 'prepare' | 'release', name: Name): Promise<void> {
    const argv = [process.execPath, HOOK, name, operation, 'begin', '-'];
    await this.host.run(argv, { input: xml(name) });
  }

  /** A domain that runs, with a stand-in for its VM plugged in. */
  async start(name: Name): Promise<Guest> {
    await this.hook('prepare', name);
    return this.host.guest({ name, bridge: `br${UUIDS[name]}` });
  }
}

function xml(name: Name): string {
  const uuid = `00000000-0000-0000-0000-000000000${UUIDS[name]}`;
  const assignment = `<h:assignment xmlns:h="urn:hnet:1"><h:address ip="123.45.90.${UUIDS[name]}"/></h:assignment>`;
  return `<domain type='qemu'><name>${name}</name><uuid>${uuid}</uuid><metadata>${assignment}</metadata><devices/></domain>`;
}
