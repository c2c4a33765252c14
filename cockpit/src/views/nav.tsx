import { Label } from '@patternfly/react-core/dist/esm/components/Label/index.js';
import { usePlace } from '../parts/place.ts';
import { texts } from '../texts.ts';

const VIEWS = [
  { is: 'overview', href: '#/' },
  { is: 'pools', href: '#/pools' },
  { is: 'topology', href: '#/topology' },
] as const;

/** The views of the page; a VM belongs to the list of VMs. What is wrong is told beside it, wherever one is. */
export function Nav({ faults }: { readonly faults: number }) {
  const place = usePlace();
  const active = place.is === 'vm' ? 'overview' : place.is;
  return (
    <nav className="hnet-nav" aria-label={texts.nav.label}>
      <ul>
        {VIEWS.map(({ is, href }) => (
          <li key={is}>
            <a href={href} {...(is === active && { 'aria-current': 'page' })}>
              {texts.nav[is]}
              {is === 'overview' && faults > 0 && (
                <Label color="red" isCompact>
                  {texts.nav.faults(faults)}
                </Label>
              )}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
