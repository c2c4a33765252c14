/** Makes host names of domain names, which may be anything: `..`, `$(id)`, `Büro 2`, `localhost`. */

/** A name as DNS and /etc/hosts take it (RFC 1123). */
export interface HostName {
  /** One label: `vm1`, `www`. */
  readonly label: string;
  /** The whole name, if the domain's name is a valid one with dots: `www.example.org`. */
  readonly full: string | undefined;
}

/** Tells two domains apart whose names give the same host name. */
const mark = (uuid: string): string => uuid.slice(0, 8);

/**
 * The host name of a domain. Dots in `ubuntu22.04` or `123.45.90.116` separate no labels: a name whose last label is a
 * number would be taken for an address. No domain becomes `localhost`.
 */
export function hostName(name: string, uuid: string): HostName {
  const labels = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .split('.')
    .map(clean)
    .filter(label => label !== '');
  const last = labels.at(-1);
  if (last === undefined || last === 'localhost') return { label: `vm-${mark(uuid)}`, full: undefined };
  const full = labels.join('.');
  if (labels.length > 1 && !isNumber(last) && full.length <= 253)
    return { label: safe(labels[0] ?? last), full };
  return { label: safe(clean(labels.join('-'))), full: undefined };
}

/** Letters, digits and inner hyphens, 63 at most (RFC 1035, 2.3.4). */
const clean = (text: string): string =>
  text
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');

/** inet_aton(3) reads such a label as an address. */
const isNumber = (label: string): boolean => /^(\d+|0x[0-9a-f]*)$/.test(label);

const safe = (label: string): string =>
  isNumber(label) || label === 'localhost' ? `vm-${label}`.slice(0, 63) : label;

/** UUID → unique host name. A domain that is called so keeps the name; others get a part of their UUID in it. */
export function hostNames(
  domains: readonly { readonly uuid: string; readonly name: string }[],
): ReadonlyMap<string, HostName> {
  const names = new Map<string, HostName>();
  const used = new Set<string>();
  const isOwn = ({ name, uuid }: { name: string; uuid: string }) => keys(hostName(name, uuid)).includes(name);
  for (const domain of [...domains].sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)))) {
    const wanted = hostName(domain.name, domain.uuid);
    const name = keys(wanted).some(key => used.has(key)) ? marked(wanted, domain.uuid) : wanted;
    for (const key of keys(name)) used.add(key);
    names.set(domain.uuid, name);
  }
  return names;
}

const keys = ({ label, full }: HostName): string[] => (full === undefined ? [label] : [label, full]);

function marked({ label, full }: HostName, uuid: string): HostName {
  const unique = `${label.slice(0, 54)}-${mark(uuid)}`;
  return { label: unique, full: full?.replace(/^[^.]*/, unique) };
}
