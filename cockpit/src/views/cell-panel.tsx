import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { visible } from '../../../src/model/refusal.ts';
import { useDoing } from '../dialogs/wishes.ts';
import { HISTORY, type HistoryEntry } from '../model/answers.ts';
import type { Cell, Holder } from '../model/pools.ts';
import { sinceOf } from '../model/since.ts';
import { type Answer, useAnswer } from '../parts/answer.ts';
import { Copy } from '../parts/copy.tsx';
import { type Fact, Facts } from '../parts/facts.tsx';
import { History } from '../parts/history.tsx';
import { hostText } from '../parts/host.ts';
import { Name } from '../parts/name.tsx';
import { hrefOf } from '../parts/place.ts';
import { moment } from '../parts/time.ts';
import { Why } from '../parts/why.tsx';
import { texts } from '../texts.ts';

/** Whose the chosen address is, and what can be done with it. */
export function CellPanel({ cell }: { readonly cell: Cell | undefined }) {
  if (cell === undefined) return <p className="hnet-panel hnet-subtle">{texts.pools.choose}</p>;
  return (
    <section className="hnet-panel hnet-stack" aria-label={cell.address} data-panel={cell.address}>
      <h3 className="hnet-row">
        <span className="hnet-address">{cell.address}</span>
        <Copy text={cell.address} />
      </h3>
      <Actions cell={cell} />
      <Known key={cell.address} cell={cell} />
    </section>
  );
}

function Actions({ cell: { address, state, holder, own, reservation } }: { readonly cell: Cell }) {
  const { wish } = useDoing();
  return (
    <div className="hnet-row">
      {holder !== undefined && holder.host === undefined && <HolderActions holder={holder} />}
      {state === 'free' && (
        <Button variant="primary" onClick={() => wish({ is: 'assign', address })}>
          {texts.actions.assign}
        </Button>
      )}
      {state === 'reserved' && typeof reservation?.name === 'string' && (
        <Button variant="secondary" onClick={() => wish({ is: 'assign', address })}>
          {texts.actions.assign}
        </Button>
      )}
      {reservation === undefined && own === undefined && (
        <Button variant="link" onClick={() => wish({ is: 'reserve', address })}>
          {texts.actions.reserve}
        </Button>
      )}
      {reservation !== undefined && (
        <Button variant="link" onClick={() => wish({ is: 'release', address: reservation.address })}>
          {texts.actions.release}
        </Button>
      )}
    </div>
  );
}

function HolderActions({ holder: { uuid, domain, held } }: { readonly holder: Holder }) {
  const { wish } = useDoing();
  const about = { address: held, party: { uuid, domain } };
  return (
    <>
      <Button variant="secondary" onClick={() => wish({ is: 'move', ...about })}>
        {texts.actions.move}
      </Button>
      <Button variant="secondary" isDanger onClick={() => wish({ is: 'unassign', ...about })}>
        {texts.actions.unassign}
      </Button>
    </>
  );
}

const linkTo = ({ uuid, domain }: Holder) => (
  <a href={hrefOf(uuid)}>
    <Name name={domain} />
  </a>
);

function ownText({ interface: device, host }: NonNullable<Cell['own']>): string {
  if (host !== null) return texts.pools.ownOfHost(host);
  return device === null ? texts.pools.ownOther : texts.pools.ownOf(device);
}

function Known({ cell }: { readonly cell: Cell }) {
  const { address, state, holder, own, reservation } = cell;
  // Whenever it changes hands, so does its history.
  const answer = useAnswer(['history', address], HISTORY, holder?.uuid);
  return (
    <>
      <Facts
        facts={[
          [texts.pools.state, texts.pools.states[state]],
          ...(holder === undefined ? [] : factsOf(holder, address, answer)),
          own && [texts.pools.holder, ownText(own)],
          reservation && [texts.pools.reservation, reservedText(reservation)],
        ]}
      />
      <Why faults={holder?.faults ?? []} />
      <History answer={answer} none={texts.pools.noHistory} />
    </>
  );
}

/** Whose the address is, and since when. */
function factsOf(
  holder: Holder,
  address: string,
  answer: Answer<{ readonly entries: readonly HistoryEntry[] }>,
): (Fact | false)[] {
  const { uuid, host, held, bridge, lease } = holder;
  const since = answer.is === 'done' ? sinceOf(answer.value.entries, uuid) : undefined;
  return [
    [texts.pools.holder, linkTo(holder)],
    host !== undefined && [texts.overview.host, hostText(host === null ? null : { name: host, to: null })],
    // The journal is each host's own.
    host === undefined &&
      answer.is === 'done' && [
        texts.pools.since,
        since === undefined ? texts.pools.unknownSince : moment(since),
      ],
    held !== address && [texts.pools.held_, held],
    [texts.pools.bridge, bridge],
    lease !== null && [texts.pools.lease, lease],
  ];
}

const reservedText = ({ name, since }: NonNullable<Cell['reservation']>): string =>
  `${name === null ? texts.pools.reservedForNobody : texts.pools.reservedFor(visible(name))}, ${texts.since(moment(since))}`;
