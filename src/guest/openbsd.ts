import { type ConfigFile, comments, file, resolvConf, sourceRoutingNotes } from './file.ts';
import { bare, interfaceName, mainGateway, ofFamily, type StaticNetwork, type StaticNic } from './network.ts';

/** hostname.if(5) of OpenBSD. It runs the `!` lines once the addresses are set. */
export function openbsd(network: StaticNetwork): ConfigFile[] {
  const notes = [...network.notes, ...sourceRoutingNotes(network)];
  const gateway6 = network.nics.flatMap(nic =>
    mainGateway(nic, 6).map(gateway => `${gateway}%${interfaceName(nic, 'vio')}`),
  );
  return [
    file('/etc/myname', `${network.hostname}.${network.search}`),
    ...network.nics.map((nic, place) => hostnameIf(nic, place === 0 ? notes : [])),
    ...(gateway6.length === 0 ? [] : [file('/etc/mygate', ...gateway6)]),
    ...resolvConf(network, '/etc/resolv.conf'),
  ];
}

function hostnameIf(nic: StaticNic, notes: readonly string[]): ConfigFile {
  const device = interfaceName(nic, 'vio');
  const inet = ofFamily(4, nic.addresses).map(address => `${bare(address)} 255.255.255.255`);
  const inet6 = ofFamily(6, nic.addresses).map(address => `${bare(address)} 128`);
  const lines = (family: string, all: readonly string[]) =>
    all.map((words, index) => `${family} ${index === 0 ? '' : 'alias '}${words}`);
  const routes = mainGateway(nic, 4).flatMap(gateway => [
    // The gateway is on this wire, although it is on no subnet of ours.
    `!route add -inet ${gateway} -llinfo -link -static -iface ${device}`,
    `!route add -inet default ${gateway}`,
  ]);
  return file(
    `/etc/hostname.${device}`,
    ...comments(notes),
    ...(nic.mtu === undefined ? [] : [`mtu ${nic.mtu}`]),
    ...lines('inet', inet),
    ...lines('inet6', inet6),
    ...routes,
  );
}
