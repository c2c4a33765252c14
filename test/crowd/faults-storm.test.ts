import { expect } from 'chai';
import { PATIENCE, until } from '../lab/wait.ts';
import { changes, snapshot } from '../system/snapshot.ts';
import { Stage } from '../system/stage.ts';

const MANY = 50;
const POOL = '123.45.94.0/26';
const names = Array.from({ length: MANY }, (_, index) => `storm${index}`);

/** After a power cut everything starts at once, while repairs run. */
describe(`${MANY} domains at once`, () => {
  const stage = new Stage({ installed: false });

  before(async () => {
    await stage.install([POOL]);
    await stage.hv.run(['systemctl', 'stop', 'hnet-watch']);
    await stage.hv.write('/root/storm.sh', DEFINE);
    await stage.hv.run(['sh', '-e', '/root/storm.sh']);
  });

  it('start, and stop, with sync running in a loop: all come up, all go, nothing is left', async () => {
    const before = await snapshot(stage.hv);
    const loop = stage.hv.start(['sh', '-c', 'while :; do hnet sync || echo "FAILED $?"; done']);
    const started = await Promise.all(
      names.map(name => stage.hv.attempt(['virsh', '-q', 'start', name, '--paused'])),
    );
    expect(started.filter(({ code }) => code !== 0).map(({ stderr }) => stderr)).to.deep.equal([]);
    expect((await stage.hnet('check')).stdout).to.equal('Everything is as it should be');
    const routes = await stage.hv.run(['ip', 'route', 'show', 'proto', '104', 'type', 'unicast']);
    expect(routes.split('\n')).to.have.length(MANY);
    expect(await stage.hv.run(['pgrep', '-c', '-x', 'dnsmasq'])).to.equal(String(MANY));
    const stopped = await Promise.all(names.map(name => stage.hv.attempt(['virsh', '-q', 'destroy', name])));
    expect(stopped.filter(({ code }) => code !== 0).map(({ stderr }) => stderr)).to.deep.equal([]);
    const gone = async () => (await stage.hnet('check')).code === 0;
    await until(gone, PATIENCE, 'the last release');
    expect(await loop.stop()).not.to.contain('FAILED');
    expect(await changes(stage.hv, before)).to.deep.equal([]);
  }).timeout(1_800_000);

  it('had one call of the hook for each', async () => {
    const started = [...(await stage.journal()).matchAll(/^prepare "(storm\d+)": .* in \d+ ms$/gm)];
    expect(started.map(([, name]) => name).sort()).to.deep.equal([...names].sort());
  });
});

/** Domains that never run: no disk, no kernel, little memory. Each has its address from the beginning. */
const DEFINE = `for index in $(seq 0 ${MANY - 1}); do
  cat >/root/storm.xml <<END
<domain type='qemu'><name>storm$index</name>
<metadata><a:assignment xmlns:a="urn:hnet:1">
<a:address ip="123.45.94.$index" bridge="br$index" scope="172.30.$index.0/24"/></a:assignment></metadata>
<memory unit='MiB'>16</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>
<devices><controller type='usb' model='none'/><memballoon model='none'/>
<interface type='bridge'><source bridge='br$index'/><model type='virtio'/></interface></devices></domain>
END
  virsh -q define /root/storm.xml
done`;
