import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { visible } from '../../../src/model/refusal.ts';
import { REACH } from '../model/answers.ts';
import { doctorArgv } from '../model/commands.ts';
import type { DomainShown } from '../model/lines.ts';
import { useAsk } from '../parts/answer.ts';
import { Command } from '../parts/copy.tsx';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

/** What `hnet doctor DOMAIN` says. */
export function VmDoctor({ domain }: { readonly domain: DomainShown }) {
  const { answer, put } = useAsk(REACH);
  const argv = doctorArgv(domain);
  const isBusy = answer.is === 'busy';
  return (
    <Section title={texts.vm.doctor}>
      <p className="hnet-subtle">{texts.vm.doctorWhy}</p>
      <div className="hnet-row">
        <Button variant="secondary" isDisabled={isBusy} isLoading={isBusy} onClick={() => void put(argv)}>
          {isBusy ? texts.vm.examining : texts.vm.examine}
        </Button>
        <code>{['hnet', ...argv].map(visible).join(' ')}</code>
      </div>
      <div aria-live="polite">
        {answer.is === 'failed' && (
          <Alert component="h4" variant="danger" isInline title={visible(answer.why)} />
        )}
        {answer.is === 'done' && <Finding {...answer.value} />}
      </div>
    </Section>
  );
}

function Finding({
  finding,
  warnings,
}: {
  readonly finding: { readonly address: string | null; readonly saw: string; readonly mend: string } | null;
  readonly warnings: readonly string[];
}) {
  return (
    <>
      {finding === null ? (
        <Alert component="h4" variant="success" isInline title={texts.vm.healthy} />
      ) : (
        <Alert component="h4" variant="warning" isInline title={visible(finding.saw)}>
          {finding.address !== null && <p className="hnet-address">{finding.address}</p>}
          <p>
            {texts.vm.do}: <Command text={finding.mend} />
          </p>
        </Alert>
      )}
      {warnings.map(one => (
        <p key={one} className="hnet-subtle">
          {visible(one)}
        </p>
      ))}
    </>
  );
}
