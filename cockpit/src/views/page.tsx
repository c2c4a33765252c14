import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import {
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from '@patternfly/react-core/dist/esm/components/EmptyState/index.js';
import { Spinner } from '@patternfly/react-core/dist/esm/components/Spinner/index.js';
import { useMemo, useState, useSyncExternalStore } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { Dialog } from '../dialogs/dialogs.tsx';
import { DoingContext, type Notice, type Wish } from '../dialogs/wishes.ts';
import type { Feed, Monitor } from '../door/feed.ts';
import { type Problem, problemsOf, problemsOfDomain } from '../model/problems.ts';
import type { HostState, Seen } from '../model/seen.ts';
import { usePlace } from '../parts/place.ts';
import { texts } from '../texts.ts';
import { Banner, Said } from './banner.tsx';
import { FirstRun } from './first-run.tsx';
import { Limited } from './limited.tsx';
import { Nav } from './nav.tsx';
import { Overview } from './overview.tsx';
import { Pools } from './pools.tsx';
import { Topology } from './topology.tsx';
import { Vm } from './vm.tsx';

interface Props {
  readonly monitor: Monitor;
  /** Whether there is an hnet.toml; undefined before that is known. */
  readonly isSetUp: boolean | undefined;
}

/** The whole page. */
export function Page({ monitor, isSetUp }: Props) {
  const feed = useSyncExternalStore(monitor.subscribe, monitor.current);
  const { seen, link } = feed;
  const [isSettingUp, setSettingUp] = useState(false);
  if (link.is === 'denied')
    return (
      <Frame>
        <Limited isSetUp={isSetUp} />
      </Frame>
    );
  if (link.is === 'lost' && link.isMissing)
    return (
      <Frame>
        <Missing onAgain={monitor.start} />
      </Frame>
    );
  if (isSetUp === false || isSettingUp)
    return (
      <Frame>
        <FirstRun
          isSetUp={isSetUp === true}
          onBegin={() => setSettingUp(true)}
          onEnd={() => setSettingUp(false)}
        />
      </Frame>
    );
  if (seen.state === undefined)
    return (
      <Frame>
        <Waiting feed={feed} onAgain={monitor.start} />
      </Frame>
    );
  return <Live seen={seen} state={seen.state} feed={feed} onAgain={monitor.start} />;
}

function Frame({ children }: { readonly children: React.ReactNode }) {
  return (
    <main className="hnet-page" tabIndex={-1}>
      <h1 className="pf-v6-screen-reader">{texts.title}</h1>
      {children}
    </main>
  );
}

function Live(props: {
  readonly seen: Seen;
  readonly state: HostState;
  readonly feed: Feed;
  readonly onAgain: () => void;
}) {
  const { seen, state, feed, onAgain } = props;
  const [wish, setWish] = useState<Wish>();
  const [notice, setNotice] = useState<Notice>();
  const doing = useMemo(() => ({ wish: setWish, notify: setNotice }), []);
  const problems = useMemo(() => problemsOf(state), [state]);
  return (
    <DoingContext value={doing}>
      <Nav faults={state.faults.length} />
      <Frame>
        <Trouble feed={feed} onAgain={onAgain} />
        {notice !== undefined && <Said {...notice} onClose={() => setNotice(undefined)} />}
        <View seen={seen} state={state} problems={problems} />
      </Frame>
      {wish !== undefined && <Dialog wish={wish} state={state} onClose={() => setWish(undefined)} />}
    </DoingContext>
  );
}

function View(props: {
  readonly seen: Seen;
  readonly state: HostState;
  readonly problems: readonly Problem[];
}) {
  const { seen, state, problems } = props;
  const place = usePlace();
  switch (place.is) {
    case 'overview':
      return (
        <>
          <Banner problems={problems} />
          <Overview seen={seen} />
        </>
      );
    case 'pools':
      return <Pools state={state} place={place} />;
    case 'topology':
      return <Topology seen={seen} state={state} />;
    case 'vm':
      return (
        <>
          <Banner problems={problemsOfDomain(problems, place.uuid)} />
          <Vm key={place.uuid} seen={seen} state={state} uuid={place.uuid} />
        </>
      );
  }
}

/** Why what one sees may be old. */
function Trouble({ feed: { link, seen }, onAgain }: { readonly feed: Feed; readonly onAgain: () => void }) {
  if (link.is === 'lost')
    return (
      <Alert
        component="h2"
        variant="warning"
        isInline
        isLiveRegion
        title={`${texts.link.stale}. ${texts.link.lost}`}
        actionLinks={
          <Button variant="link" isInline onClick={onAgain}>
            {texts.again}
          </Button>
        }
      >
        {visible(link.why)}
      </Alert>
    );
  if (seen.error === null) return null;
  return (
    <Alert component="h2" variant="warning" isInline isLiveRegion title={texts.link.stale}>
      {visible(seen.error)}
    </Alert>
  );
}

function Waiting({ feed, onAgain }: { readonly feed: Feed; readonly onAgain: () => void }) {
  return (
    <>
      <Trouble feed={feed} onAgain={onAgain} />
      <EmptyState titleText={texts.waiting} headingLevel="h2" icon={Spinner} />
    </>
  );
}

function Missing({ onAgain }: { readonly onAgain: () => void }) {
  return (
    <EmptyState titleText={texts.link.missing} headingLevel="h2" status="warning">
      <EmptyStateBody>{texts.link.missingWhy}</EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Button variant="primary" onClick={onAgain}>
            {texts.again}
          </Button>
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
