import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Stage } from '../system/stage.ts';

const PAGE = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');

/** The commands of a section of docs/recipes.md, as they stand there. */
function recipe(title: string): string {
  const section = PAGE.split(/^## /m).find(one => one.startsWith(title)) ?? '';
  const commands = /^```sh\n([\s\S]*?)^```$/m.exec(section)?.[1];
  if (commands === undefined) throw new Error(`docs/recipes.md has no commands under "${title}"`);
  return `set -e; cd /root\n${commands}`;
}

describe('docs/recipes.md', () => {
  const stage = new Stage();

  before(async () => {
    // virt-install looks it up; what uses it is put on hnet's bridge.
    await stage.hv.sh(`virsh -q net-info default || echo '<network><name>default</name><bridge name="virbr7"/>
      <ip address="192.168.77.1" netmask="255.255.255.0"/></network>' | virsh -q net-define /dev/stdin`);
  });

  const status = async (domain: string) => {
    const [one] = (
      JSON.parse(await stage.ok('status', domain, '--json')) as {
        domains: { state: string; faults: string[]; addresses: { address: string }[] }[];
      }
    ).domains;
    return {
      state: one?.state,
      faults: one?.faults,
      addresses: one?.addresses.map(({ address }) => address),
    };
  };
  const running = (address: string) => ({ state: 'running', faults: [], addresses: [address] });

  it('virt-install defines a domain that has its address at its first start', async () => {
    await stage.hv.sh(recipe('virt-install'));
    expect(await status('web')).to.deep.equal(running('123.45.90.116'));
  });

  it('a domain gets the disk that cloud-init reads', async () => {
    await stage.hv.vm({ name: 'cloud', boots: false });
    await stage.hv.sh(recipe('cloud-init'));
    expect(await status('cloud')).to.deep.equal(running('123.45.90.117'));
    expect(await stage.hv.virsh('domblklist', 'cloud')).to.contain('cloud-seed.iso');
  });

  it('a stylesheet gives any domain its address', async () => {
    await stage.hv.vm({ name: 'plain', boots: false });
    await stage.hv.sh(`${recipe('Terraform')}
      virsh dumpxml plain | sed '/<uuid>/d; s,<name>plain,<name>terra,' | xsltproc hnet.xsl - >terra.xml
      virsh define terra.xml; virsh start terra`);
    expect(await status('terra')).to.deep.equal(running('123.45.90.118'));
  });
});
