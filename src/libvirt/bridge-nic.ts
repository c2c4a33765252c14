/** What of a network interface stays when it goes onto a bridge of ours: libvirt starts no interface that has more. */
import type { Nic } from '../model/domain.ts';
import { quote, Refusal } from '../model/refusal.ts';
import { type Element, elements } from '../model/xml.ts';

/**
 * All that an interface may have on a bridge of the kernel's own (libvirt's schema, and what it checks at a start). Whatever
 * else there is goes, for it belongs to another kind of interface.
 */
const KEPT = [
  ...[
    'mac',
    'model',
    'driver',
    'backend',
    'target',
    'alias',
    'address',
    'acpi',
    'boot',
    'rom',
    'link',
    'mtu',
  ],
  ...['coalesce', 'filterref', 'bandwidth', 'tune', 'port', 'teaming'],
];

/** Of these elements, wherever they are, only some attributes; an element goes with the last one. */
const ATTRIBUTES: Readonly<Record<string, (key: string, value: string, all: Element) => boolean>> = {
  driver: (key, value) => key !== 'name' || value === 'qemu' || value === 'vhost',
  backend: key => key === 'tap' || key === 'vhost',
  // A name that the operator gave. libvirt makes the others, `net0` and `vnet3`, for a domain that runs.
  alias: (_, value) => value.startsWith('ua-'),
  target: (key, value) => key === 'dev' && !/^(vnet|macvtap|macvlan)\d+$/.test(value),
  // A promise that only libvirt's own networks can keep.
  inbound: key => key !== 'floor',
  // The transient one of a pair is unplugged for a migration, and must be a device of the host's.
  teaming: (_key, _value, { attributes }) => attributes.get('type') !== 'transient',
};

/** What goes unsaid: what the bridge replaces, and what libvirt makes itself. */
const UNSAID = ['source', 'alias', 'target'];

interface Fitted {
  readonly element: Element;
  /** What had to go, in words of the XML. */
  readonly lost: readonly string[];
}

/**
 * The same interface with a bridge as its source, and without what it can't have there.
 * @param less elements that are to go besides
 * @throws Refusal for one that is a device of the host's: the system inside knows it by another driver
 */
export function onBridge({ element, type, mac }: Nic, bridge: string, less: readonly string[] = []): Fitted {
  if (type === 'hostdev')
    throw new Refusal(
      `Cannot put the interface ${mac || 'without a MAC'} on ${bridge}: it is a device of the host's (hostdev); ` +
        'add one with virsh attach-interface, and name it with --nic MAC, or use --no-nic',
    );
  // Of a tap that the operator has made himself libvirt can't make another.
  const gone = [...less, ...(type === 'ethernet' ? ['target'] : [])];
  const fitted = elements(element)
    .filter(({ name }) => !gone.includes(name))
    .map(child => ({ child, ...(KEPT.includes(child.name) ? trimmed(child) : nothingOf(child)) }));
  const lost = fitted.flatMap(one => (UNSAID.includes(one.child.name) ? [] : one.lost));
  const children = fitted.flatMap(one => one.element ?? []);
  const source = { name: 'source', namespace: '', attributes: new Map([['bridge', bridge]]), children: [] };
  const attributes = new Map([...element.attributes, ['type', 'bridge']]);
  attributes.delete('managed');
  return { element: { ...element, attributes, children: [...children, source] }, lost };
}

/** What is left of an element, if anything. */
interface Rest {
  readonly element: Element | undefined;
  readonly lost: readonly string[];
}

const nothingOf = ({ name }: Element): Rest => ({ element: undefined, lost: [`<${name}>`] });

/** An element without attributes that don't fit. */
function trimmed(element: Element): Rest {
  const isFit = ATTRIBUTES[element.name] ?? (() => true);
  const fits = ([key, value]: readonly [string, string]): boolean => isFit(key, value, element);
  const kept = [...element.attributes].filter(fits);
  const inner = element.children.map(child => (typeof child === 'string' ? child : trimmed(child)));
  const children = inner.flatMap(child => (typeof child === 'string' ? child : (child.element ?? [])));
  const ownLoss = [...element.attributes]
    .filter(one => !fits(one))
    .map(([key, value]) => `${key}=${quote(value)} of <${element.name}>`);
  const isEmptied = ownLoss.length > 0 && kept.length === 0 && children.every(one => typeof one === 'string');
  if (isEmptied) return nothingOf(element);
  const innerLoss = inner.flatMap(child => (typeof child === 'string' ? [] : child.lost));
  return { element: { ...element, attributes: new Map(kept), children }, lost: [...ownLoss, ...innerLoss] };
}
