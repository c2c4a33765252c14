import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { Select } from '../dialogs/fields.tsx';
import { GUEST } from '../model/answers.ts';
import { guestArgv } from '../model/commands.ts';
import type { DomainShown } from '../model/lines.ts';
import { useAsk } from '../parts/answer.ts';
import { File } from '../parts/file.tsx';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

/** What the system inside must be told, in the words of each. */
export function VmGuest({ domain }: { readonly domain: DomainShown }) {
  const { answer, put } = useAsk(GUEST);
  const [wanted, setWanted] = useState('');
  const formats = answer.is === 'done' ? answer.value.formats : [];
  const chosen = formats.find(({ format }) => format === wanted) ?? formats[0];
  return (
    <Section title={texts.vm.guest}>
      <p className="hnet-subtle">{texts.vm.guestWhy}</p>
      {answer.is === 'failed' && <p role="alert">{visible(answer.why)}</p>}
      {chosen === undefined ? (
        <div className="hnet-row">
          <Button
            variant="secondary"
            isLoading={answer.is === 'busy'}
            onClick={() => void put(guestArgv(domain))}
          >
            {texts.vm.show}
          </Button>
        </div>
      ) : (
        <>
          <Select
            id="guest-format"
            label={texts.vm.format}
            value={chosen.format}
            options={formats.map(({ format }) => ({ value: format, label: format }))}
            onChange={setWanted}
          />
          {chosen.files.map(({ path, text }) => (
            <File key={path} path={path} text={text} />
          ))}
        </>
      )}
    </Section>
  );
}
