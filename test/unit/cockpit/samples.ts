/** Lines of a monitor, as the page gets them. */
import { MONITOR_VERSION } from '../../../src/cli/monitor/lines.ts';
import { breaches } from '../../support/promised.ts';

const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export interface SampleVm {
  readonly number: number;
  readonly name: string;
  readonly state?: 'running' | 'stopped' | 'incoming' | 'leaving';
  readonly addresses: readonly string[];
  readonly faults?: readonly string[];
  readonly rules?: readonly string[];
}

/** A domain as `hnet status` has it. */
export const sampleDomain = (vm: SampleVm) => ({
  domain: vm.name,
  uuid: uuid(vm.number),
  state: vm.state ?? ('running' as const),
  policy: 'open',
  dhcp: null,
  boot: null,
  default: 'allow',
  isolate: false,
  rules: vm.rules ?? [],
  forwards: [],
  interfaces: [{ mac: '52:54:00:12:34:56', type: 'bridge', source: `br${vm.number}` }],
  addresses: vm.addresses.map(address => ({
    address,
    bridge: `br${vm.number}`,
    scope: `172.30.${vm.number}.0/24`,
    via: null,
    lease: null,
    faults: vm.faults ?? [],
  })),
  faults: vm.faults ?? [],
});

/** A domain of another host, as `hnet status --all` has it. */
export const sampleAway = (
  vm: Omit<SampleVm, 'state'> & { readonly host: string; readonly to?: string },
) => ({
  domain: vm.name,
  uuid: uuid(vm.number),
  host: vm.host,
  state: 'running',
  to: vm.to ?? null,
  addresses: vm.addresses.map(address => ({
    address,
    bridge: `br${vm.number}`,
    scope: `172.30.${vm.number}.0/24`,
    via: null,
  })),
});

const POOL = { assigned: 0, up: 0, reserved: 0 };

/** Everything of a host, but for what a test says otherwise. */
export const sampleState = (domains: readonly object[] = [], parts: object = {}) => ({
  type: 'state',
  host: {
    versions: {
      hnet: '0.3.0',
      node: '20.19.0',
      system: 'Debian GNU/Linux 12',
      kernel: '6.1.0',
      libvirt: '9.0.0',
      hypervisor: 'QEMU 7.2.0',
      tools: {},
    },
    dhcp: 'bootstrap',
    backend: 'nftables',
    uplinks: [
      {
        device: 'eth0',
        addresses: ['123.45.12.48'],
        gateways: ['123.45.12.1'],
        mtu: 1500,
        delivery: { ipv4: 'routed', ipv6: 'routed' },
        pools: ['123.45.90.112/29'],
      },
    ],
  },
  domains,
  others: [],
  elsewhere: null,
  pools: [{ pool: '123.45.90.112/29', size: 8, free: 8, ...POOL }],
  keptBack: { own: [], reservations: [] },
  faults: [],
  findings: [],
  ...parts,
});

const traffic = (bytes: number) => ({
  in: { packets: 1, bytes },
  out: { packets: 1, bytes: Math.floor(bytes / 2) },
});

/** What was counted at a moment. @param bytes towards each address */
export const sampleCounters = (
  vms: readonly ReturnType<typeof sampleDomain>[],
  bytes: number,
  domains: readonly object[] = [],
) => ({
  type: 'counters',
  addresses: vms.flatMap(({ domain, uuid: id, addresses }) =>
    addresses.map(({ address }) => ({
      domain,
      uuid: id,
      address,
      sinceStart: traffic(bytes),
      total: traffic(bytes),
    })),
  ),
  domains,
  dropped: {},
});

/** A line as the monitor writes it; it keeps to what docs/schema promises. @param second of a minute */
export function lineOf(line: object, second = 0): string {
  const whole = {
    version: MONITOR_VERSION,
    at: `2026-11-28T12:00:${String(second).padStart(2, '0')}.000Z`,
    ...line,
  };
  const wrong = breaches('monitor', whole);
  if (wrong !== '') throw new Error(wrong);
  return JSON.stringify(whole);
}
