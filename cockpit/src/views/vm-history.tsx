import { HISTORY } from '../model/answers.ts';
import type { DomainShown, EntryShown } from '../model/lines.ts';
import { useAnswer } from '../parts/answer.ts';
import { History } from '../parts/history.tsx';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

interface Props {
  readonly domain: DomainShown;
  /** What happened since the page was opened: then the journal is read again. */
  readonly happened: readonly EntryShown[];
}

/** What happened to the VM's addresses. */
export function VmHistory({ domain: { uuid, domain }, happened }: Props) {
  const latest = happened.find(one => one.domain === domain)?.at;
  const answer = useAnswer(['history', uuid], HISTORY, latest);
  return (
    <Section title={texts.vm.history}>
      <History answer={answer} none={texts.vm.noHistory} />
    </Section>
  );
}
