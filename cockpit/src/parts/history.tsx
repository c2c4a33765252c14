import { visible } from '../../../src/model/refusal.ts';
import type { HistoryEntry } from '../model/answers.ts';
import { texts } from '../texts.ts';
import type { Answer } from './answer.ts';
import { Name } from './name.tsx';
import { moment } from './time.ts';

/** The newest are shown. */
const SHOWN = 8;

/** What happened to an address or to those of a VM, the newest first. */
export function History({
  answer,
  none,
}: {
  readonly answer: Answer<{ readonly entries: readonly HistoryEntry[] }>;
  readonly none: string;
}) {
  if (answer.is === 'failed') return <p role="alert">{visible(answer.why)}</p>;
  if (answer.is !== 'done') return <p className="hnet-subtle">{texts.pools.loading}</p>;
  const entries = answer.value.entries.slice(-SHOWN).toReversed();
  if (entries.length === 0) return <p className="hnet-subtle">{none}</p>;
  return (
    <ol className="hnet-history" aria-label={texts.pools.history}>
      {entries.map(({ at, is, address, domain, from }) => (
        <li key={`${at} ${is} ${address} ${domain}`}>
          <time dateTime={at}>{moment(at)}</time>
          <span>
            {texts.happened[is]?.(address) ?? `${is} ${address}`} <Name name={domain} />
            {from !== null && (
              <>
                {' '}
                ({texts.from} <Name name={from.domain} />)
              </>
            )}
          </span>
        </li>
      ))}
    </ol>
  );
}
