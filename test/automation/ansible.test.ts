import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { Stage } from '../system/stage.ts';

/** Where the hypervisor finds the collection, as ansible-galaxy would lay it. */
const COLLECTIONS = '/root/collections';
const PLAYBOOK = `
- hosts: localhost
  connection: local
  gather_facts: false
  roles:
    - role: hnet_project.hnet.hnet
      vars:
        hnet_pools: [123.45.90.112/29, 123.45.53.11]
        hnet_settings:
          mtu: 1400
          dhcp: {lease: 2h, dns: [9.9.9.9, 123.45.200.10]}
  tasks:
    - name: Give vm1 addresses
      hnet_project.hnet.hnet_address:
        domain: vm1
        addresses: [123.45.90.116, 123.45.53.11]
    - name: Give vm2 the first that is free
      hnet_project.hnet.hnet_address: {domain: vm2}
    - name: Take one away
      hnet_project.hnet.hnet_address: {domain: vm3, addresses: [123.45.90.118], state: absent}
    - name: Take all away
      hnet_project.hnet.hnet_address: {domain: vm4, state: absent}
`;

/** Debian's ansible-core, on the host that it sets up. */
describe('the Ansible collection', () => {
  const stage = new Stage();

  before(async () => {
    if (!existsSync('/usr/bin/ansible-playbook'))
      throw new Error('ansible-playbook is missing: apt-get install ansible-core');
    for (const name of ['vm1', 'vm2', 'vm3', 'vm4']) await stage.hv.vm({ name, boots: false });
    await stage.ok('assign', 'vm3', '123.45.90.118', '123.45.90.119');
    await stage.ok('assign', 'vm4', '123.45.90.117');
    await stage.hv.sh(`mkdir -p ${COLLECTIONS}/ansible_collections/hnet_project
      ln -s /root/hnet/contrib/ansible ${COLLECTIONS}/ansible_collections/hnet_project/hnet`);
    await stage.hv.write('/root/playbook.yml', PLAYBOOK);
  });

  /** Runs a playbook. @returns which of its tasks changed something, beside what it said */
  const play = async (book: string, ...options: readonly string[]) => {
    const argv = ['ansible-playbook', '-i', 'localhost,', book, ...options];
    const environment = [`ANSIBLE_COLLECTIONS_PATH=${COLLECTIONS}`, 'LC_ALL=C.UTF-8'];
    const { code, stdout, stderr } = await stage.hv.attempt(['env', ...environment, ...argv]);
    const told = stdout
      .split(/^TASK \[/m)
      .filter(task => /^changed: \[localhost\]/m.test(task))
      .map(task => /^(?:.* : )?(.*)\] \*+$/m.exec(task)?.[1]);
    return { code, said: stdout + stderr, told };
  };

  const state = async (): Promise<string> =>
    stage.hv.sh(
      'cat /etc/hnet/hnet.toml; for id in $(virsh -q list --all --uuid); do virsh dumpxml --inactive $id; done',
    );

  const CHANGES = [
    'Set what the variables say',
    'Put it in force',
    'Give vm1 addresses',
    'Give vm2 the first that is free',
    'Take one away',
    'Take all away',
  ];

  it('says in check mode what would change, and changes nothing', async () => {
    const before = await state();
    const { code, told, said } = await play('/root/playbook.yml', '--check', '--diff');
    expect(code, said).to.equal(0);
    expect(told).to.deep.equal(CHANGES.filter(name => name !== 'Put it in force'));
    expect(said).to.contain('123.45.53.11');
    expect(await state()).to.equal(before);
  });

  it('sets up the host and its domains', async () => {
    const { code, told, said } = await play('/root/playbook.yml');
    expect(code, said).to.equal(0);
    expect(told).to.deep.equal(CHANGES);
    expect(await stage.ok('ip', 'vm1')).to.equal('123.45.90.116\n123.45.53.11');
    expect(await stage.ok('ip', 'vm2')).to.match(/^123\.45\.90\.11\d$/);
    expect(await stage.ok('ip', 'vm3')).to.equal('123.45.90.119');
    expect((await stage.hv.attempt(['hnet', 'ip', 'vm4'])).code).to.equal(1);
    const toml = await stage.hv.read('/etc/hnet/hnet.toml');
    expect(toml).to.contain('pools = ["123.45.90.112/29", "123.45.53.11"]\n');
    expect(toml).to.contain('# mtu = 1500\nmtu = 1400\n').and.to.contain('lease = "2h"\n');
    expect(toml).to.contain('# Time servers that the lease names, as addresses.\n');
  });

  it('changes nothing when it is run again', async () => {
    const before = await state();
    const { code, told, said } = await play('/root/playbook.yml');
    expect({ code, told }, said).to.deep.equal({ code: 0, told: [] });
    expect(said).to.match(/ok=\d+ +changed=0 +unreachable=0 +failed=0 /);
    expect(await state()).to.equal(before);
  });

  it("tells a refusal in hnet's own words", async () => {
    await stage.hv.write(
      '/root/bad.yml',
      PLAYBOOK.replace(/ {2}roles:[\s\S]*? {2}tasks:/, '  tasks:').replace('123.45.90.116', '8.8.8.8'),
    );
    const { code, said } = await play('/root/bad.yml');
    expect(code).not.to.equal(0);
    expect(said).to.match(/"msg": "Cannot assign[^"]*8\.8\.8\.8/);
  });
});
