import { expect } from 'chai';
import type { Hypervisor } from '../lab/hypervisor.ts';
import { ECHO, Stream } from '../lab/stream.ts';
import { expectFewLost, expectGood } from './seen.ts';
import { ClusterStage } from './stage.ts';
import { allWays, followMoves, lostDuring, prepareTravel, TRAVELS, type Traveller } from './travel.ts';

const SERIES = 20;

describe('a VM that moves again and again', () => {
  const stage = new ClusterStage({ hosts: 3, etcds: 1 });
  let traveller: Traveller;

  before(async () => {
    traveller = await prepareTravel(stage.lab, stage.cluster, stage.ok);
    await followMoves(stage.cluster);
    await traveller.vm.sh(ECHO);
  });

  async function moveTo(host: Hypervisor): Promise<number[]> {
    const losses = await lostDuring(allWays(traveller), () => stage.cluster.migrate(traveller.vm, host));
    expectFewLost(losses, `moved to ${host.name}`);
    return losses.map(({ lost }) => lost);
  }

  it('goes round h1, h2, h3 and h1, and its TCP streams lose nothing', async () => {
    const streams = await Promise.all(
      [TRAVELS[4], TRAVELS[6]].map(address => Stream.open(stage.lab.internet, address)),
    );
    for (const number of [2, 3, 1]) {
      await moveTo(stage.host(number));
      await expectGood(stage);
    }
    for (const stream of streams) {
      const { sent, returned, wrong, failure } = await stream.stop();
      expect({ returned, wrong, failure }).to.deep.equal({ returned: sent, wrong: 0, failure: null });
    }
  });

  it(`goes to and fro ${SERIES} times, and at most one ping of each sender is missed in the median`, async () => {
    const lost: number[] = [];
    for (let done = 0; done < SERIES; done++) lost.push(...(await moveTo(stage.host(2 - (done % 2)))));
    const sorted = lost.toSorted((a, b) => a - b);
    console.log(`      lost of each sender in each move: ${sorted.join(' ')}`);
    expect(sorted[sorted.length >> 1]).to.be.at.most(1);
    await expectGood(stage);
  });
});
