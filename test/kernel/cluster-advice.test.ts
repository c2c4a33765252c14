import { expect } from 'chai';
import { examine } from '../../src/doctor/examine.ts';
import { Lab } from '../lab/lab.ts';
import { GATEWAY } from '../lab/site.ts';
import { PATIENCE, until } from '../lab/wait.ts';
import { equip, expectReached, obey } from '../support/advice.ts';
import { COMMAND, ensureBuilt } from '../support/build.ts';
import { BIRD_CONF, knowEachOther, Peers, startBird } from '../support/peers.ts';
import { CASES, clustered } from '../unit/doctor-cluster-cases.ts';

/** The host's own address that it tells the provider by BGP, as a host with addresses of its own does. */
const OWN = '198.51.100.77';

const session = (own: string, asn: number, other: string, theirs: number, filter: string): string =>
  `protocol bgp upstream { multihop; local ${own} as ${asn}; neighbor ${other} as ${theirs}; error wait time 1, 1;
  ipv4 { ${filter} }; }
`;

describe('no advice of doctor cuts off a host of a cluster', () => {
  let lab: Lab;
  let peers: Peers;

  before(async () => {
    await ensureBuilt();
    lab = await Lab.create();
    peers = await Peers.create(lab, 'nftables');
    await knowEachOther(peers);
    const { host } = peers.h1;
    await equip({ lab, host });
    await host.run(['ip', 'address', 'add', OWN, 'dev', 'lo']);
    const printed = await host.run([process.execPath, COMMAND, 'host', '--format', 'bird']);
    const upstream = session(host.address, 65001, GATEWAY, 64999, 'import none; export where proto = "own";');
    const own = `protocol static own { ipv4; route ${OWN}/32 via "lo"; }`;
    await host.write(BIRD_CONF, `${printed}\n${own}\n${upstream}`);
    const down = session(GATEWAY, 64999, host.address, 65001, 'import all; export none;');
    await lab.gateway.write(
      '/run/bird.conf',
      `router id ${GATEWAY};\nprotocol device { }\nprotocol direct { ipv4; }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }\n${down}`,
    );
    await startBird(host);
    await lab.gateway.sh('bird -c /run/bird.conf -s /run/bird.ctl -P /run/bird.pid');
    await until(() => lab.internet.ping(OWN), PATIENCE, 'the way to what BGP tells');
  });
  after(() => lab.remove());

  for (const [what, [change]] of Object.entries(CASES))
    it(`about ${what}`, async () => {
      const { host } = peers.h1;
      for (const { mend } of examine(clustered(change))) {
        await obey({ lab, host }, mend);
        await expectReached({ lab, host }, mend);
        expect(await host.run(['birdc', 'show', 'protocols', 'upstream']), mend).to.contain('Established');
        expect(await lab.internet.ping(OWN), `${OWN} after: ${mend}`).to.equal(true);
      }
    });
});
