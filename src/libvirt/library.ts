import { createRequire } from 'node:module';
import { METADATA_NAMESPACE } from '../model/names.ts';
import { ifPossible, Refusal } from '../model/refusal.ts';
import { type Affects, type Connection, METADATA_KEY, type Standing } from './connection.ts';

/** virDomainModificationImpact of libvirt-domain.h. */
const AFFECTS: Readonly<Record<Affects, number>> = { live: 1, config: 2, both: 3 };
const XML_INACTIVE = 2;
/** virConnectListAllDomainsFlags. */
const LIST_ALL = 0;
const LIST_ACTIVE = 1;
/** VIR_DOMAIN_METADATA_ELEMENT: an XML element, as opposed to title and description. */
const METADATA_ELEMENT = 2;

/** The calls we use (libvirt.org/html/libvirt-libvirt-domain.html). koffi copies and frees a string marked by `!`. */
const CALLS = {
  lastError: 'Failure *virGetLastError()',
  setErrorFunction: 'void virSetErrorFunc(void *data, Handler *handler)',
  open: 'void *virConnectOpen(const char *name)',
  close: 'int virConnectClose(void *connection)',
  listAll: 'int virConnectListAllDomains(void *connection, _Out_ void **domains, unsigned int flags)',
  lookup: 'void *virDomainLookupByUUIDString(void *connection, const char *uuid)',
  freeDomain: 'int virDomainFree(void *domain)',
  uuidString: 'int virDomainGetUUIDString(void *domain, _Out_ char *buffer)',
  xml: 'str! virDomainGetXMLDesc(void *domain, unsigned int flags)',
  isActive: 'int virDomainIsActive(void *domain)',
  isPersistent: 'int virDomainIsPersistent(void *domain)',
  state: 'int virDomainGetState(void *domain, _Out_ int *state, _Out_ int *reason, unsigned int flags)',
  jobInfo: 'int virDomainGetJobInfo(void *domain, _Out_ char *info)',
  hasManagedSave: 'int virDomainHasManagedSaveImage(void *domain, unsigned int flags)',
  setMetadata:
    'int virDomainSetMetadata(void *domain, int type, const char *metadata, const char *key, const char *uri, unsigned int flags)',
  updateDevice: 'int virDomainUpdateDeviceFlags(void *domain, const char *xml, unsigned int flags)',
  attachDevice: 'int virDomainAttachDeviceFlags(void *domain, const char *xml, unsigned int flags)',
};

/** virDomainState, and of virDomainPausedReason what matters. */
const [RUNNING, PAUSED] = [1, 3];
const PAUSES: Readonly<Record<number, Standing>> = { 1: 'held', 2: 'moving', 12: 'moving', 13: 'moving' };

/** virDomainJobInfo: bytes, and VIR_DOMAIN_JOB_NONE of the integer with which it begins. */
const [JOB_SIZE, NO_JOB] = [96, 0];

type Koffi = typeof import('koffi');
type Library = ReturnType<Koffi['load']>;
type Call = (...args: readonly unknown[]) => unknown;
type Pointer = bigint;
interface Loaded {
  readonly koffi: Koffi;
  readonly api: Readonly<Record<keyof typeof CALLS, Call>>;
}

/**
 * Connects through libvirt's C library; undefined if that or koffi can't be loaded. Calls are synchronous: libvirt keeps
 * its last error per thread, and an asynchronous call runs in another. @throws Refusal if the daemon can't be reached
 */
export function openLibrary(): Connection | undefined {
  loaded ??= load();
  return loaded && new LibraryConnection(loaded);
}

/** Loaded once per process: koffi never frees types and callbacks, and the daemon connects again and again. */
let loaded: Loaded | undefined;

function load(): Loaded | undefined {
  const found = find();
  if (found === undefined) return undefined;
  const { koffi, libvirt } = found;
  koffi.proto('void Handler(void *data, void *error)');
  koffi.struct('Failure', { code: 'int', domain: 'int', message: 'const char *' });
  const calls = Object.entries(CALLS).map(([name, prototype]) => [name, libvirt.func(prototype)]);
  const api = Object.fromEntries(calls) as Loaded['api'];
  // Without a handler libvirt prints every error on standard error too.
  api.setErrorFunction(
    null,
    koffi.register(() => undefined, 'Handler *'),
  );
  return { koffi, api };
}

function find(): { koffi: Koffi; libvirt: Library } | undefined {
  try {
    // koffi is a native addon, which can't be bundled.
    const koffi = createRequire(__filename)('koffi') as Koffi;
    return { koffi, libvirt: koffi.load('libvirt.so.0') };
  } catch {
    return undefined;
  }
}

class LibraryConnection implements Connection {
  readonly #koffi: Koffi;
  readonly #api: Loaded['api'];
  readonly #connection: Pointer;

  constructor({ koffi, api }: Loaded) {
    this.#koffi = koffi;
    this.#api = api;
    this.#connection = this.#pointer('connect to libvirt (qemu:///system)', api.open('qemu:///system'));
  }

  list(): string[] {
    return this.#each(LIST_ALL, domain => {
      const buffer = Buffer.alloc(37);
      this.#number('read a UUID', this.#api.uuidString(domain, buffer));
      return buffer.toString('latin1', 0, 36);
    });
  }

  running = (): string[] => this.#each(LIST_ACTIVE, domain => this.#xml(domain, 0) ?? []);
  definitions = (): string[] => this.#each(LIST_ACTIVE, domain => this.#xml(domain, XML_INACTIVE) ?? []);

  #each(which: number, read: (domain: Pointer) => string | string[]): string[] {
    const out: [Pointer | null] = [null];
    const count = this.#number('list the domains', this.#api.listAll(this.#connection, out, which));
    const domains = count === 0 ? [] : (this.#koffi.decode(out[0], 'void *', count) as Pointer[]);
    try {
      return domains.flatMap(read);
    } finally {
      for (const domain of domains) this.#api.freeDomain(domain);
      if (out[0] !== null) this.#koffi.free(out[0]);
    }
  }

  xml = (uuid: string, inactive: boolean): string =>
    this.#withDomain(
      uuid,
      domain => this.#xml(domain, inactive ? XML_INACTIVE : 0) ?? this.#fail('read the XML'),
    );

  #xml(domain: Pointer, flags: number): string | undefined {
    const text = this.#api.xml(domain, flags);
    return typeof text === 'string' ? text : undefined;
  }

  isActive = (uuid: string): boolean => this.#ask(uuid, 'read the state', this.#api.isActive) === 1;
  standing(uuid: string): Standing {
    const [state, why]: [number[], number[]] = [[0], [0]];
    const done = ifPossible(() => this.#ask(uuid, 'read the state', this.#api.state, state, why, 0));
    if (done === undefined) return 'other';
    if (state[0] === RUNNING) return 'running';
    return (state[0] === PAUSED ? PAUSES[why[0] ?? 0] : undefined) ?? 'other';
  }

  isBusy(uuid: string): boolean {
    const info = Buffer.alloc(JOB_SIZE);
    const done = ifPossible(() => this.#ask(uuid, 'read the job', this.#api.jobInfo, info));
    return done === undefined || info.readInt32LE() !== NO_JOB;
  }

  isPersistent = (uuid: string): boolean => this.#ask(uuid, 'read the state', this.#api.isPersistent) === 1;
  hasManagedSave = (uuid: string): boolean =>
    this.#ask(uuid, 'read the state', this.#api.hasManagedSave, 0) === 1;

  setMetadata(uuid: string, element: string | undefined, affects: Affects): void {
    const given = element === undefined ? [null, null] : [element, METADATA_KEY];
    const args = [METADATA_ELEMENT, ...given, METADATA_NAMESPACE, AFFECTS[affects]];
    this.#ask(uuid, 'write the metadata', this.#api.setMetadata, ...args);
  }

  updateDevice(uuid: string, device: string, affects: Affects): void {
    this.#ask(uuid, 'change the network interface', this.#api.updateDevice, device, AFFECTS[affects]);
  }

  attachDevice(uuid: string, device: string, affects: Affects): void {
    this.#ask(uuid, 'add a network interface', this.#api.attachDevice, device, AFFECTS[affects]);
  }

  close(): void {
    this.#api.close(this.#connection);
  }

  #withDomain<T>(uuid: string, work: (domain: Pointer) => T): T {
    const domain = this.#pointer(`find the domain ${uuid}`, this.#api.lookup(this.#connection, uuid));
    try {
      return work(domain);
    } finally {
      this.#api.freeDomain(domain);
    }
  }

  /** Calls a function that takes a domain and then `args`. */
  #ask(uuid: string, what: string, call: Call, ...args: readonly unknown[]): number {
    return this.#withDomain(uuid, domain => this.#number(what, call(domain, ...args)));
  }

  #pointer(what: string, result: unknown): Pointer {
    return typeof result === 'bigint' && result !== 0n ? result : this.#fail(what);
  }

  #number(what: string, result: unknown): number {
    return typeof result === 'number' && result >= 0 ? result : this.#fail(what);
  }

  #fail(what: string): never {
    const error: unknown = this.#api.lastError();
    const failure = error ? (this.#koffi.decode(error, 'Failure') as { message: string }) : undefined;
    throw new Refusal(`Cannot ${what}: ${failure?.message ?? 'no reason given'}`);
  }
}
