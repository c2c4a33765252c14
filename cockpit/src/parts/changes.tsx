import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { visible } from '../../../src/model/refusal.ts';
import type { Change } from '../model/answers.ts';
import { texts } from '../texts.ts';
import { Name } from './name.tsx';

const SIGNS: Readonly<Record<string, string>> = { added: '+', removed: '−', changed: '~' };

/** Each difference, as `--dry-run` shows it. */
export function Changes({ change: { changes, warnings } }: { readonly change: Change }) {
  return (
    <>
      {changes.length === 0 && <p className="hnet-subtle">{texts.dialog.nothing}</p>}
      <ul className="hnet-changes">
        {changes.map(({ is, domain, what }) => (
          <li key={`${is} ${domain} ${what}`} data-is={is}>
            <span aria-hidden="true">{SIGNS[is] ?? '!'}</span>
            <span className="pf-v6-screen-reader">{is}</span>
            <span>
              {domain !== null && <Name name={domain} />} {visible(what)}
            </span>
          </li>
        ))}
      </ul>
      {warnings.map(one => (
        <Alert component="h3" key={one} variant="warning" isInline isPlain title={visible(one)} />
      ))}
    </>
  );
}
