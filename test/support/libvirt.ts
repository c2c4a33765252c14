import { bridgesOf } from '../../src/model/bridge.ts';
import { addressesOf } from '../../src/model/domain.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { type DomainOptions, domainXml, uuidOf } from './domain.ts';
import type { Scene } from './scene.ts';

const DOMAINS = '/run/lab/domains';

/** The XML of a domain with an interface on each of its bridges, whose tap isn't known. */
export function pluggedXml(name: string, options: DomainOptions): string {
  const xml = domainXml(name, options);
  if (options.taps !== undefined) return xml;
  const bridges = new Set(bridgesOf('', addressesOf(parseDomain(xml))).map(bridge => bridge.name));
  const nics = [...bridges].map(
    bridge => `<interface type='bridge'><source bridge='${bridge}'/></interface>`,
  );
  return xml.replace('</devices>', `${nics.join('')}</devices>`);
}

const DOWN = '/run/lab/libvirt-is-down';
/** UUIDs of domains that are defined and don't run. */
const STOPPED = '/run/lab/stopped';
/** UUIDs of domains that are being moved. */
const MOVING = '/run/lab/moving';
/** As much of virsh as hnet asks of it; a domain is a file each. */
const VIRSH = `shift 3
[ ! -e ${DOWN} ] || { echo 'error: failed to connect to the hypervisor' >&2; exit 1; }
case "$*" in
  # Of events it tells nothing.
  --loop) exec sleep infinity ;;
  'list --uuid') ls ${DOMAINS} | sed 's/[.]xml$//' | { grep -vxFf ${STOPPED} || :; } ;;
  'list --all --uuid') ls ${DOMAINS} | sed 's/[.]xml$//' ;;
  'domstate --reason '*) if grep -qxF "$3" ${MOVING}; then echo 'paused (migrating)'; else echo 'running (booted)'; fi ;;
  dumpxml*) cd ${DOMAINS} && exec cat $(echo "$*" | grep -o '[0-9a-f-]\\{36\\}' | sed 's/$/.xml/') ;;
  attach-device* | update-device*) ;;
  domstate*) if grep -qxF "$2" ${STOPPED}; then echo 'shut off'; else echo running; fi ;;
  domjobinfo*) echo 'Job type:         None' ;;
  dominfo*) if grep -qxF "$2" ${STOPPED}; then echo 'Persistent:     yes'; else echo 'Persistent:     no'; fi ;;
  metadata*)
    file=${DOMAINS}/$2.xml
    case "$4" in
      --remove) element= ;;
      # As libvirt does, it gives what it keeps the prefix of the key.
      *) element=$(echo "$7" | sed 's,<\\(/\\{0\\,1\\}\\)\\([a-z]\\),<\\1hnet:\\2,g; s,^<hnet:assignment,& xmlns:hnet="urn:hnet:1",') ;;
    esac
    ELEMENT=$element perl -0pi -e 's{<metadata>.*</metadata>}{<metadata>$ENV{ELEMENT}</metadata>}s' "$file" ;;
  *) echo "no such command: $*" >&2; exit 1 ;;
esac`;

/**
 * A libvirt that only tells which domains run, for a host without one: its library is hidden from the host,
 * and virsh stands in, as it does on systems where the library can't be loaded.
 */
export class FakeLibvirt {
  readonly #scene: Scene;

  private constructor(scene: Scene) {
    this.#scene = scene;
  }

  static async create(scene: Scene): Promise<FakeLibvirt> {
    await scene.host.sh(`mkdir -p ${DOMAINS}; touch ${STOPPED} ${MOVING}
      library=$(ldconfig -p | sed -n 's/.*libvirt[.]so[.]0 .*=> //p' | head -n 1)
      mount --bind /dev/null "$(readlink -f "$library")"`);
    await scene.replace('/usr/bin/virsh', VIRSH);
    return new FakeLibvirt(scene);
  }

  /** The domain runs from now on, with an interface on each of its bridges unless others are given. */
  async run(name: string, options: DomainOptions = {}): Promise<void> {
    await this.#scene.host.write(`${DOMAINS}/${uuidOf(name)}.xml`, pluggedXml(name, options));
  }

  /** The domain is defined, and doesn't run. */
  async define(...names: readonly string[]): Promise<void> {
    const files = names.map(
      name =>
        `cat >${DOMAINS}/${uuidOf(name)}.xml <<'END'\n${domainXml(name)}END\necho ${uuidOf(name)} >>${STOPPED}`,
    );
    await this.#scene.host.sh(files.join('\n'));
  }

  /** A domain that is defined begins to run. */
  async start(name: string): Promise<void> {
    await this.#scene.host.run(['sed', '-i', `/${uuidOf(name)}/d`, STOPPED]);
  }

  /** Its processors stand still from now on, or no longer, because it is between two hosts. */
  async moves(name: string, does: boolean): Promise<void> {
    const uuid = uuidOf(name);
    await this.#scene.host.sh(does ? `echo ${uuid} >>${MOVING}` : `sed -i /${uuid}/d ${MOVING}`);
  }

  /** The same with the XML of another host. */
  async adopt(name: string, xml: string): Promise<void> {
    await this.#scene.host.write(`${DOMAINS}/${uuidOf(name)}.xml`, xml);
    await this.#scene.host.sh(`echo ${uuidOf(name)} >>${STOPPED}`);
  }

  /** What libvirt would hand to the hook at the start of a domain that is defined. */
  xml(name: string): Promise<string> {
    return this.#scene.host.run(['cat', `${DOMAINS}/${uuidOf(name)}.xml`]);
  }

  /** All of these run from now on: UUID → XML. */
  async runAll(domains: ReadonlyMap<string, string>): Promise<void> {
    const files = [...domains].map(([uuid, xml]) => `cat >${DOMAINS}/${uuid}.xml <<'END'\n${xml}END\n`);
    await this.#scene.host.sh(files.join(''));
  }

  /** Whether it can be asked at all. */
  async answers(does: boolean): Promise<void> {
    await this.#scene.host.run(does ? ['rm', '-f', DOWN] : ['touch', DOWN]);
  }

  /** It has ended, and no hook was called. */
  async end(name: string): Promise<void> {
    await this.#scene.host.run(['rm', '-f', `${DOMAINS}/${uuidOf(name)}.xml`]);
  }
}
