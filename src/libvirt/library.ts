import { createRequire } from 'node:module';
import { Refusal } from '../model/refusal.ts';
import { type Affects, type Connection, METADATA_KEY, METADATA_URI } from './connection.ts';

type Koffi = typeof import('koffi');
type Library = ReturnType<Koffi['load']>;
type Pointer = bigint;

/** virDomainModificationImpact of libvirt-domain.h. */
const AFFECTS: Readonly<Record<Affects, number>> = { live: 1, config: 2, both: 3 };
const XML_INACTIVE = 2;
/** virConnectListAllDomainsFlags. */
const LIST_ALL = 0;
const LIST_ACTIVE = 1;
/** VIR_DOMAIN_METADATA_ELEMENT: an XML element, as opposed to title and description. */
const METADATA_ELEMENT = 2;

/**
 * Connects through libvirt's C library. Calls are synchronous: libvirt keeps its last error per thread, and an
 * asynchronous call would run in another thread.
 * @returns undefined if the library or koffi can't be loaded
 * @throws Refusal if the library is there but the daemon can't be reached
 */
export function openLibrary(): Connection | undefined {
  const api = library();
  return api === undefined ? undefined : new LibraryConnection(api.koffi, api.declared);
}

let loaded: { readonly koffi: Koffi; readonly declared: ReturnType<typeof declare> } | undefined;

/** Loaded once per process: koffi never frees types and callbacks, and the daemon connects again and again. */
function library(): typeof loaded {
  if (loaded !== undefined) return loaded;
  const parts = load();
  if (parts === undefined) return undefined;
  const { koffi, libvirt, libc } = parts;
  const declared = declare(koffi, libvirt, libc);
  // Without a handler libvirt prints every error on standard error too.
  declared.setErrorFunction(
    null,
    koffi.register(() => undefined, declared.handler),
  );
  loaded = { koffi, declared };
  return loaded;
}

function load(): { koffi: Koffi; libvirt: Library; libc: Library } | undefined {
  try {
    // koffi is a native addon, which can't be bundled. Where it can't be loaded, virsh is used instead.
    const koffi = createRequire(__filename)('koffi') as Koffi;
    return { koffi, libvirt: koffi.load('libvirt.so.0'), libc: koffi.load('libc.so.6') };
  } catch {
    return undefined;
  }
}

/** The calls we use (libvirt.org/html/libvirt-libvirt-domain.html). */
function declare(koffi: Koffi, libvirt: Library, libc: Library) {
  const free = libc.func('void free(void *pointer)');
  const handler = koffi.pointer(koffi.proto('void (void *data, void *error)'));
  return {
    free,
    handler,
    error: koffi.struct({ code: 'int', domain: 'int', message: 'const char *' }),
    lastError: libvirt.func('void *virGetLastError()'),
    setErrorFunction: libvirt.func('virSetErrorFunc', 'void', ['void *', handler]),
    open: libvirt.func('void *virConnectOpen(const char *name)'),
    close: libvirt.func('int virConnectClose(void *connection)'),
    lookup: libvirt.func('void *virDomainLookupByUUIDString(void *connection, const char *uuid)'),
    listAll: libvirt.func(
      'int virConnectListAllDomains(void *connection, _Out_ void **domains, unsigned int flags)',
    ),
    /** A string that libvirt allocated for us is freed once it is copied. */
    ...declareReads(
      libvirt,
      koffi.disposable(null, 'str', (pointer: unknown) => free(pointer)),
    ),
    ...declareChanges(libvirt),
  };
}

const declareReads = (libvirt: Library, text: ReturnType<Koffi['disposable']>) => ({
  freeDomain: libvirt.func('int virDomainFree(void *domain)'),
  uuidString: libvirt.func('int virDomainGetUUIDString(void *domain, _Out_ char *buffer)'),
  xml: libvirt.func('virDomainGetXMLDesc', text, ['void *', 'unsigned int']),
  isActive: libvirt.func('int virDomainIsActive(void *domain)'),
  isPersistent: libvirt.func('int virDomainIsPersistent(void *domain)'),
  hasManagedSave: libvirt.func('int virDomainHasManagedSaveImage(void *domain, unsigned int flags)'),
});

const declareChanges = (libvirt: Library) => ({
  setMetadata: libvirt.func(
    'int virDomainSetMetadata(void *domain, int type, const char *metadata, const char *key, const char *uri, unsigned int flags)',
  ),
  updateDevice: libvirt.func(
    'int virDomainUpdateDeviceFlags(void *domain, const char *xml, unsigned int flags)',
  ),
  attachDevice: libvirt.func(
    'int virDomainAttachDeviceFlags(void *domain, const char *xml, unsigned int flags)',
  ),
});

class LibraryConnection implements Connection {
  readonly #koffi: Koffi;
  readonly #api: ReturnType<typeof declare>;
  readonly #connection: Pointer;

  constructor(koffi: Koffi, api: ReturnType<typeof declare>) {
    this.#koffi = koffi;
    this.#api = api;
    this.#connection = this.#pointer('connect to libvirt (qemu:///system)', api.open('qemu:///system'));
  }

  list(): string[] {
    return this.#each(LIST_ALL, domain => {
      const buffer = Buffer.alloc(37);
      this.#number('read a UUID', this.#api.uuidString(domain, buffer));
      return [buffer.toString('latin1', 0, 36)];
    });
  }

  running(): string[] {
    return this.#each(LIST_ACTIVE, domain => {
      const text = this.#api.xml(domain, 0);
      return text === null ? [] : [String(text)];
    });
  }

  #each<T>(which: number, read: (domain: Pointer) => T[]): T[] {
    const out: [Pointer | null] = [null];
    const count = this.#number('list the domains', this.#api.listAll(this.#connection, out, which));
    const domains = count === 0 ? [] : (this.#koffi.decode(out[0], 'void *', count) as Pointer[]);
    try {
      return domains.flatMap(read);
    } finally {
      for (const domain of domains) this.#api.freeDomain(domain);
      if (out[0] !== null) this.#api.free(out[0]);
    }
  }

  xml(uuid: string, inactive: boolean): string {
    return this.#withDomain(uuid, domain => {
      const text = this.#api.xml(domain, inactive ? XML_INACTIVE : 0);
      return text === null ? this.#fail('read the XML') : String(text);
    });
  }

  isActive(uuid: string): boolean {
    return this.#ask(uuid, 'read the state', domain => this.#api.isActive(domain)) === 1;
  }

  isPersistent(uuid: string): boolean {
    return this.#ask(uuid, 'read the state', domain => this.#api.isPersistent(domain)) === 1;
  }

  hasManagedSave(uuid: string): boolean {
    return this.#ask(uuid, 'read the state', domain => this.#api.hasManagedSave(domain, 0)) === 1;
  }

  setMetadata(uuid: string, element: string | undefined, affects: Affects): void {
    const key = element === undefined ? null : METADATA_KEY;
    this.#ask(uuid, 'write the metadata', domain =>
      this.#api.setMetadata(domain, METADATA_ELEMENT, element ?? null, key, METADATA_URI, AFFECTS[affects]),
    );
  }

  updateDevice(uuid: string, device: string, affects: Affects): void {
    this.#ask(uuid, 'change the network interface', domain =>
      this.#api.updateDevice(domain, device, AFFECTS[affects]),
    );
  }

  attachDevice(uuid: string, device: string, affects: Affects): void {
    this.#ask(uuid, 'add a network interface', domain =>
      this.#api.attachDevice(domain, device, AFFECTS[affects]),
    );
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

  #ask(uuid: string, what: string, call: (domain: Pointer) => unknown): number {
    return this.#withDomain(uuid, domain => this.#number(what, call(domain)));
  }

  #pointer(what: string, result: unknown): Pointer {
    return typeof result === 'bigint' && result !== 0n ? result : this.#fail(what);
  }

  #number(what: string, result: unknown): number {
    return typeof result === 'number' && result >= 0 ? result : this.#fail(what);
  }

  #fail(what: string): never {
    const error: unknown = this.#api.lastError();
    const words = error
      ? (this.#koffi.decode(error, this.#api.error) as { message: string }).message
      : 'no reason given';
    throw new Refusal(`Cannot ${what}: ${words}`);
  }
}
