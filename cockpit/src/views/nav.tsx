import { Label } from '@patternfly/react-core/dist/esm/components/Label/index.js';
import { Tab, Tabs, TabTitleText } from '@patternfly/react-core/dist/esm/components/Tabs/index.js';
import { go, type Place, usePlace } from '../parts/place.ts';
import { texts } from '../texts.ts';

const TABS = [
  { key: 'overview', href: '#/', place: { is: 'overview' } },
  { key: 'pools', href: '#/pools', place: { is: 'pools', pool: '', address: '' } },
  { key: 'topology', href: '#/topology', place: { is: 'topology' } },
] as const satisfies readonly { readonly key: string; readonly href: string; readonly place: Place }[];

/** The views of the page; a VM belongs to the list of VMs. */
export function Nav({ faults }: { readonly faults: number }) {
  const { is } = usePlace();
  const active = is === 'vm' ? 'overview' : is;
  return (
    <Tabs
      className="hnet-nav"
      component="nav"
      aria-label={texts.nav.label}
      activeKey={active}
      onSelect={(event, key) => {
        event.preventDefault();
        const tab = TABS.find(one => one.key === key);
        if (tab !== undefined) go(tab.place);
      }}
    >
      {TABS.map(({ key, href }) => (
        <Tab
          key={key}
          eventKey={key}
          href={href}
          title={<Title text={texts.nav[key]} faults={key === 'overview' ? faults : 0} />}
        />
      ))}
    </Tabs>
  );
}

/** What is wrong is told beside the view that shows it, wherever one is. */
function Title({ text, faults }: { readonly text: string; readonly faults: number }) {
  return (
    <TabTitleText>
      {text}
      {faults > 0 && (
        <Label color="red" isCompact className="hnet-count">
          {texts.nav.faults(faults)}
        </Label>
      )}
    </TabTitleText>
  );
}
