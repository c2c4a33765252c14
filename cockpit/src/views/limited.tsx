import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { useCallback, useEffect, useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { offers } from '../door/offers.ts';
import type { Offer } from '../model/offers.ts';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';
import { WayUp } from './way-up.tsx';

/** What hnet shows to everybody. @param isSetUp false: there is no hnet.toml yet */
export function Limited({ isSetUp }: { readonly isSetUp: boolean | undefined }) {
  const [isAsked, setAsked] = useState(false);
  const close = useCallback(() => setAsked(false), []);
  return (
    <div className="hnet-stack">
      <Alert
        component="h2"
        variant="info"
        isInline
        title={texts.limited.title}
        actionLinks={
          <Button variant="link" isInline onClick={() => setAsked(true)}>
            {texts.limited.up}
          </Button>
        }
      >
        {isSetUp === false ? texts.first.needsAdmin : texts.limited.why}
      </Alert>
      {isAsked && <WayUp onClose={close} />}
      {isSetUp !== false && (
        <>
          <Offers kind="holders" title={texts.limited.held} />
          <Offers kind="free" title={texts.limited.free} />
        </>
      )}
    </div>
  );
}

function Offers({ kind, title }: { readonly kind: 'holders' | 'free'; readonly title: string }) {
  const [found, setFound] = useState<readonly Offer[]>();
  useEffect(() => {
    let isHere = true;
    offers(kind).then(all => isHere && setFound(all));
    return () => {
      isHere = false;
    };
  }, [kind]);
  return (
    <Section title={title}>
      {found === undefined && <p className="hnet-subtle">{texts.pools.loading}</p>}
      {found?.length === 0 && <p className="hnet-subtle">{texts.limited.none}</p>}
      {found !== undefined && found.length > 0 && (
        <ul className="hnet-offers">
          {found.map(({ word, meaning }) => (
            <li key={word}>
              <strong>{visible(word)}</strong> <span className="hnet-subtle">{visible(meaning)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
