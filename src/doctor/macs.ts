/** Interfaces of domains on the uplink's own wire, past hnet: there the provider sees their MACs. */
import { type Domain, domainWord, type Nic } from '../model/domain.ts';
import { quote } from '../model/refusal.ts';
import { childOf } from '../model/xml.ts';
import { type Diagnosis, diagnosis } from './diagnosis.ts';
import { type Facts, knownValue } from './facts.ts';

/** An interface, whose it is, and what of the uplink it is on. */
interface Exposed {
  readonly domain: Domain;
  readonly nic: Nic;
  readonly where: string;
}

/** A MAC that libvirt has made up is no provider's. */
const MADE_UP = '52:54:00:';

const WHY = "the provider sees its MAC, and many lock a server for a MAC that they haven't given it";

export const checkMacs = (facts: Facts): Diagnosis[] =>
  exposed(facts)
    .filter(({ nic }) => nic.mac.startsWith(MADE_UP))
    .flatMap(one => diagnosis(told(one), WHY, `hnet assign ${domainWord(one.domain)} --nic ${one.nic.mac}`));

/** Other MACs may be those that the provider gives to bridged VMs. */
export const macNotes = (facts: Facts): string[] =>
  exposed(facts)
    .filter(({ nic }) => !nic.mac.startsWith(MADE_UP))
    .map(one => `${told(one)}: ${WHY}`);

const told = ({ domain, nic, where }: Exposed): string =>
  `the interface ${nic.mac || 'without a MAC'} of ${quote(domain.name)} is on ${where}`;

function exposed(facts: Facts): Exposed[] {
  const uplinks = (knownValue(facts.uplinks) ?? []).map(({ device }) => device);
  const places = new Map([
    ...[...facts.network.links].flatMap(([name, { master = '' }]): [string, string][] =>
      uplinks.includes(master) ? [[name, `${name}, which is in the uplink ${master}`]] : [],
    ),
    ...uplinks.map(device => [device, `the uplink ${device}`] as const),
  ]);
  const networks = new Map<string, string | undefined>();
  const deviceOf = (nic: Nic): string | undefined => {
    const { attributes } = childOf(nic.element, 'source') ?? { attributes: new Map<string, string>() };
    const [device, network] = [attributes.get('dev') ?? attributes.get('bridge'), attributes.get('network')];
    if (device !== undefined || network === undefined) return device;
    if (!networks.has(network)) networks.set(network, deviceOfNetwork(network, facts));
    return networks.get(network);
  };
  return (knownValue(facts.domains) ?? []).flatMap(({ domain, persistent }) => {
    const nics = new Map([...(persistent?.nics ?? []), ...domain.nics].map(nic => [nic.mac, nic]));
    return [...nics.values()].flatMap(nic => {
      const where = KINDS.includes(nic.type) ? places.get(deviceOf(nic) ?? '') : undefined;
      return where === undefined ? [] : [{ domain, nic, where }];
    });
  });
}

/** Kinds that put frames of their own on a device of the host's. */
const KINDS = ['bridge', 'direct', 'network'];

/** The host's device of one of libvirt's networks that bridges; a domain that runs names it itself. */
function deviceOfNetwork(name: string, { output }: Facts): string | undefined {
  const xml = output('virsh', '--connect', 'qemu:///system', 'net-dumpxml', '--', name);
  if (!/<forward [^>]*mode='(?:bridge|private|vepa|passthrough)'/.test(xml)) return undefined;
  return (/<(?:forward|interface) [^>]*dev='([^']+)'/.exec(xml) ??
    /<bridge [^>]*name='([^']+)'/.exec(xml))?.[1];
}
