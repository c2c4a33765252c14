/** A network card as libvirt names its source. */
export interface Nic {
  readonly type: 'bridge' | 'network';
  readonly source: string;
  readonly mac?: string;
}

export interface DomainParts {
  readonly name: string;
  /** What boots in it: a kernel, or what the ROM of its network card loads. Without, the firmware finds nothing, and sleeps. */
  readonly boot?:
    | 'network'
    | { readonly kernel: string; readonly initramfs: string; readonly commandLine: string };
  readonly console: string;
  readonly socket: string;
  readonly nics: readonly Nic[];
  /** The path of a raw image, which it sees as /dev/vda. */
  readonly disk?: string;
  /** XML for inside `<metadata>`. */
  readonly metadata: string;
}

/** The machine is the plain old one, without what costs time under emulation. */
export function domainXml(parts: DomainParts): string {
  return `<domain type='qemu'>
  <name>${escapeXml(parts.name)}</name>
  <metadata>${parts.metadata}</metadata>
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
${bootXml(parts.boot)}  </os>
  <features><acpi/></features>
  <devices>
    ${parts.disk === undefined ? '' : diskXml(parts.disk)}${parts.nics.map(nic => nicXml(nic, parts.boot === 'network')).join('\n    ')}
    <serial type='file'><source path='${parts.console}'/><target port='0'/></serial>
    <serial type='unix'><source mode='bind' path='${parts.socket}'/><target port='1'/></serial>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
`;
}

function bootXml(boot: DomainParts['boot']): string {
  if (boot === undefined) return '';
  if (boot === 'network') return `    <boot dev='network'/>\n`;
  return `    <kernel>${boot.kernel}</kernel>
    <initrd>${boot.initramfs}</initrd>
    <cmdline>${escapeXml(boot.commandLine)}</cmdline>
`;
}

const diskXml = (path: string): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${path}'/><target dev='vda' bus='virtio'/></disk>\n    `;

/** @param hasRom a card's ROM asks for leases by itself, and answers for what it gets, where nothing else boots */
function nicXml({ type, source, mac }: Nic, hasRom: boolean): string {
  const address = mac === undefined ? '' : `<mac address='${mac}'/>`;
  const rom = hasRom ? '' : "<rom enabled='no'/>";
  return `<interface type='${type}'>${address}<source ${type}='${escapeXml(source)}'/><model type='virtio'/>${rom}</interface>`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>'"\n]/g, character => `&#${character.charCodeAt(0)};`);
}
