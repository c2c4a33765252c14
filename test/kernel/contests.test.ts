import { expect } from 'chai';
import type { Background } from '../lab/background.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { COMMAND, NODE } from '../support/build.ts';
import { hnet } from '../support/command.ts';
import { FakeLibvirt } from '../support/libvirt.ts';
import type { Scene } from '../support/scene.ts';
import { kernelSuite } from '../support/suite.ts';

/**
 * A program that wants the first place in some chains, as Calico's Felix does, and looks often. It is iptables under a name
 * of its own: the kernel tells the pid in the machine's numbers, which are others here.
 */
const FELIX = `#!/bin/sh
cp -L /usr/sbin/xtables-nft-multi /run/lab/calico-felix
iptables() { /run/lab/calico-felix iptables "$@"; }
for chain in "raw PREROUTING" "filter FORWARD"; do
  iptables -w 10 -t \${chain% *} -N cali-\${chain#* }
done
while :; do
  for chain in "raw PREROUTING" "filter FORWARD"; do
    set -- $chain
    [ "$(iptables -w 10 -t $1 -S $2 1)" = "-A $2 -j cali-$2" ] || {
      iptables -w 10 -t $1 -D $2 -j cali-$2 2>/dev/null
      iptables -w 10 -t $1 -I $2 -j cali-$2
      echo "wrote $2"
    }
  done
  sleep 0.3
done
`;
const FIRST = 'iptables -t raw -S PREROUTING 1';

kernelSuite('another program that wants the first place', scene => {
  let one: Scene;
  let watch: Background;
  let felix: Background;

  beforeEach(async () => {
    one = await scene();
    await FakeLibvirt.create(one);
    await one.base();
    watch = one.host.start([...NODE, COMMAND, 'watch']);
    await one.host.write('/run/lab/felix', FELIX);
    felix = one.host.start(['sh', '-c', 'chmod 755 /run/lab/felix; exec /run/lab/felix']);
  });
  afterEach(async () => {
    await felix.stop();
    await watch.stop();
  });

  const puttingBack = (): string[] =>
    watch.output.split('\n').filter(line => line.startsWith('put back: raw table'));

  it('is given way, longer each time; what it has no part in is repaired at once; doctor names it', async () => {
    await until(() => puttingBack().length === 2, PATIENCE, 'the line at the third time');
    expect(puttingBack()[0]).to.equal(
      'put back: raw table (another rule comes before its jump in PREROUTING)',
    );
    expect(puttingBack()[1]).to.match(/: 3 times by now; see hnet doctor$/);
    // It has the first place for seconds now, and in FORWARD nobody contends for it.
    await until(async () => (await one.host.sh(FIRST)).includes('cali'), PATIENCE, 'its jump to be first');
    await one.host.sh('iptables -t raw -D PREROUTING -j hnet-prerouting; iptables -t mangle -F hnet-egress');
    const whole = async () =>
      (await one.host.sh('iptables -t raw -S PREROUTING; iptables -t mangle -S hnet-egress')).match(
        /-j hnet-prerouting[\s\S]*DROP/,
      ) !== null;
    await until(whole, PATIENCE, 'what was missing');
    expect(felix.output.match(/wrote FORWARD/g)).to.have.length(1);
    const { stdout } = await hnet(one, 'doctor');
    expect(stdout).to.match(/raw table: another rule comes before .*, \d+ times since .* is calico-felix$/m);
  });
});
