/** An assignment as the XML element in its domain's metadata. */
import { format, parseAddress, parsePrefix, parseRoutable } from './address.ts';
import type { Assignment, Intent } from './assignment.ts';
import { parseBootFile } from './boot.ts';
import { type Address, isPrivate } from './bridge.ts';
import { bridgeNames } from './bridge-names.ts';
import { DHCP_MODES, ownDhcp } from './dhcp-mode.ts';
import { collide, type Forward } from './forward.ts';
import { formatForward, parseForward } from './forward-words.ts';
import { LONGEST, oneOf, refuseLong, refuseMany, refuseStranger, refuseUnknown } from './metadata-limits.ts';
import { articleScope, gatewayOf, INTERFACE_NAME, isUuid, METADATA_NAMESPACE } from './names.ts';
import { OPEN, type Policy, type PolicyRule } from './policy.ts';
import { equal, isSingle, last, overlaps, type Prefix } from './prefix.ts';
import { quote, Refusal, reason } from './refusal.ts';
import { formatRule, parseRule } from './rule.ts';
import { type Element, elements, escapeXml, textOf } from './xml.ts';

/**
 * Reads our metadata element, `<assignment domain="UUID" dhcp="public"><boot>FILE</boot>
 * <address ip= bridge= scope=/>… <forward>tcp/2201:22</forward>… <policy inbound="deny" isolate="on"><rule>allow tcp/22</rule>…</policy></assignment>`.
 * `via=` names the domain's own address that routes a prefix on. Metadata written by hand may leave out bridge and scope:
 * then they are br<last octet> and 172.30.<last octet>.0/24.
 * @throws Refusal that names the value and what is wrong with it
 */
export function parseAssignment(element: Element): Assignment {
  if (element.name !== 'assignment') refuseStranger(element, 'the metadata, expected <assignment>');
  refuseUnknown(element, ['domain', 'dhcp']);
  const owner = element.attributes.get('domain');
  if (owner !== undefined && !isUuid(owner)) throw new Refusal(`domain ${quote(owner)} is not a UUID`);
  const dhcp = oneOf(element, 'dhcp', DHCP_MODES);
  const children = elements(element);
  const stranger = children.find(
    ({ name, namespace }) =>
      !['address', 'policy', 'boot', 'forward'].includes(name) || namespace !== METADATA_NAMESPACE,
  );
  if (stranger !== undefined) refuseStranger(stranger, '<assignment>');
  const given = children.filter(({ name }) => name === 'address');
  if (given.length === 0) throw new Refusal('the assignment holds no address');
  refuseMany('addresses', given.length);
  const addresses = given.map(parseAddressElement);
  refuseContradictions(addresses);
  refuseLostHops(addresses);
  const policy = parsePolicies(children.filter(({ name }) => name === 'policy'));
  const forwards = parseForwards(children.filter(({ name }) => name === 'forward'));
  return {
    owner,
    addresses,
    policy,
    ...(forwards.length > 0 && { forwards }),
    ...ownDhcp({ dhcp, boot: parseBoot(children) }),
  };
}

function parseForwards(elements: readonly Element[]): Forward[] {
  refuseMany('forwards', elements.length);
  const forwards = elements.map(element => {
    refuseUnknown(element, []);
    const text = textOf(element).trim();
    refuseLong('forward', text, LONGEST.forward);
    return parseForward(text);
  });
  for (const [index, one] of forwards.entries()) {
    const twin = forwards.slice(0, index).find(other => collide(one, other));
    if (twin !== undefined)
      throw new Refusal(`forward ${formatForward(one)} has a port of ${formatForward(twin)}`);
  }
  return forwards;
}

function parseBoot(children: readonly Element[]): string | undefined {
  const [element, second] = children.filter(({ name }) => name === 'boot');
  if (element === undefined) return undefined;
  if (second !== undefined) throw new Refusal('two elements <boot>, where one is allowed');
  refuseUnknown(element, []);
  const text = textOf(element).trim();
  refuseLong('boot file', text, LONGEST.boot);
  return parseBootFile(text);
}

function parseAddressElement(element: Element): Address {
  refuseUnknown(element, ['ip', 'bridge', 'scope', 'via']);
  const ip = element.attributes.get('ip');
  if (ip === undefined) throw new Refusal('<address> has no "ip"');
  const prefix = parseRoutable(ip);
  const bridge = element.attributes.get('bridge') ?? bridgeNames(prefix)[0] ?? '';
  if (!INTERFACE_NAME.test(bridge))
    throw new Refusal(`bridge ${quote(bridge)} is not an interface name (1 to 15 of A-Z a-z 0-9 _ . -)`);
  const scope = element.attributes.get('scope');
  const via = element.attributes.get('via');
  const address = {
    prefix,
    bridge,
    scope: scope === undefined ? articleScope(prefix) : parseScope(scope),
    ...(via !== undefined && { via: parseAddress(via) }),
  };
  refuseOddPrivate(address);
  return address;
}

/** Of its scope a domain may have what a lease could name: neither the host's address there nor the ends. */
function refuseOddPrivate({ prefix, scope, via }: Address): void {
  if (
    !overlaps(prefix, scope) ||
    (isPrivate({ prefix, scope }) && via === undefined && isLeased(prefix, scope))
  )
    return;
  throw new Refusal(`${format(prefix)} can't be a private address of scope ${format(scope)}`);
}

const isLeased = (prefix: Prefix, scope: Prefix): boolean =>
  isSingle(prefix) && prefix.first > gatewayOf(scope).first && prefix.first < last(scope);

function parsePolicies([element, second]: readonly Element[]): Policy {
  if (element === undefined) return OPEN;
  if (second !== undefined) throw new Refusal('two elements <policy>, where one is allowed');
  refuseUnknown(element, ['inbound', 'isolate']);
  const inbound = oneOf(element, 'inbound', ['allow', 'deny']) ?? 'allow';
  const isolate = oneOf(element, 'isolate', ['on', 'off']) === 'on';
  const stranger = elements(element).find(({ name }) => name !== 'rule');
  if (stranger !== undefined) refuseStranger(stranger, '<policy>, expected <rule>');
  refuseMany('rules', elements(element).length);
  return { inbound, isolate, rules: elements(element).map(parseRuleElement) };
}

function parseRuleElement(element: Element): PolicyRule {
  const text = textOf(element).trim();
  refuseLong('rule', text, LONGEST.rule);
  return parseRule(text);
}

/** Reads the scope of a bridge. @throws Refusal if it is none */
export function parseScope(text: string): Prefix {
  const scope = parsePrefix(text);
  if (scope.family === 4 && scope.length >= 16 && scope.length <= 29) return scope;
  throw new Refusal(`scope ${quote(text)} is not an IPv4 subnet of /16 to /29`);
}

/** Refuses an address twice, one bridge with two scopes, and one scope on two bridges. */
function refuseContradictions(addresses: readonly Address[]): void {
  for (const [index, { prefix, bridge, scope }] of addresses.entries())
    for (const earlier of addresses.slice(0, index)) {
      if (overlaps(earlier.prefix, prefix))
        throw new Refusal(`${format(prefix)} overlaps ${format(earlier.prefix)} of the same domain`);
      if ((earlier.bridge === bridge) !== equal(earlier.scope, scope)) {
        const [a, b] = [earlier, { bridge, scope }].map(one => `${one.bridge} with ${format(one.scope)}`);
        throw new Refusal(`bridge and scope contradict each other: ${a}, ${b}`);
      }
      if (earlier.bridge !== bridge && overlaps(earlier.scope, scope))
        throw new Refusal(`scopes ${format(earlier.scope)} and ${format(scope)} overlap`);
    }
}

/** What routes a prefix on is another address of the domain, on the same bridge. */
function refuseLostHops(addresses: readonly Address[]): void {
  for (const { prefix, bridge, via } of addresses) {
    const isHop = (one: Address): boolean =>
      via !== undefined && one.via === undefined && equal(one.prefix, via) && one.bridge === bridge;
    if (via === undefined || addresses.some(isHop)) continue;
    throw new Refusal(
      `${format(prefix)} is routed via ${format(via)}, which the domain doesn't have on ${bridge}; unassign both, or neither`,
    );
  }
}

/**
 * The metadata element of an assignment. It has no namespace: libvirt adds that (virDomainSetMetadata).
 * @throws Refusal if it is more than {@link parseAssignment} reads
 */
export function renderAssignment(assignment: Assignment): string {
  refuseMany('addresses', assignment.addresses.length);
  refuseMany('rules', assignment.policy.rules.length);
  refuseMany('forwards', assignment.forwards?.length ?? 0);
  refuseLostHops(assignment.addresses);
  const owner = assignment.owner === undefined ? '' : ` domain="${escapeXml(assignment.owner)}"`;
  const dhcp = assignment.dhcp === undefined ? '' : ` dhcp="${assignment.dhcp}"`;
  const addresses = assignment.addresses.map(
    ({ prefix, bridge, scope, via }) =>
      `<address ip="${format(prefix)}" bridge="${escapeXml(bridge)}" scope="${format(scope)}"${via === undefined ? '' : ` via="${format(via)}"`}/>`,
  );
  const boot = assignment.boot === undefined ? '' : `<boot>${escapeXml(assignment.boot)}</boot>`;
  const forwards = (assignment.forwards ?? []).map(
    one => `<forward>${escapeXml(formatForward(one))}</forward>`,
  );
  return `<assignment${owner}${dhcp}>${boot}${addresses.join('')}${forwards.join('')}${renderPolicy(assignment.policy)}</assignment>`;
}

function renderPolicy({ inbound, isolate, rules }: Policy): string {
  if (inbound === 'allow' && !isolate && rules.length === 0) return '';
  const words = rules.map(renderRule).join('');
  return `<policy inbound="${inbound}" isolate="${isolate ? 'on' : 'off'}">${words}</policy>`;
}

function renderRule(rule: PolicyRule): string {
  const text = formatRule(rule);
  refuseLong('rule', text, LONGEST.rule);
  return `<rule>${escapeXml(text)}</rule>`;
}

/** Reads the intent from the children of `<metadata>`, whatever prefix our element bears. */
export function readIntent(metadata: readonly Element[]): Intent {
  const [ours, second] = metadata.filter(element => element.namespace === METADATA_NAMESPACE);
  if (ours === undefined) return { kind: 'none' };
  if (second !== undefined)
    return { kind: 'malformed', why: `two elements of ${METADATA_NAMESPACE}, where one is allowed` };
  try {
    return { kind: 'assigned', assignment: parseAssignment(ours) };
  } catch (error) {
    return { kind: 'malformed', why: reason(error) };
  }
}
