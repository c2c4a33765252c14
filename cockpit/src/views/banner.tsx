import { Alert, AlertActionCloseButton } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { useDoing } from '../dialogs/wishes.ts';
import { CHANGE } from '../model/answers.ts';
import { canRepair, isRepaired, type Problem, REPAIR } from '../model/problems.ts';
import { useAsk } from '../parts/answer.ts';
import { Command } from '../parts/copy.tsx';
import { Name } from '../parts/name.tsx';
import { texts } from '../texts.ts';

/** So many are shown at first. */
const FIRST = 3;

/** What `hnet check` and `hnet doctor` find, with what mends it. */
export function Banner({ problems }: { readonly problems: readonly Problem[] }) {
  const faults = problems.filter(({ isFault }) => isFault);
  const findings = problems.filter(({ isFault }) => !isFault);
  return (
    <>
      {faults.length > 0 && (
        <Alert
          component="h2"
          variant="danger"
          isInline
          title={texts.problems.faults(faults.length)}
          data-problems="faults"
        >
          <List problems={faults} />
          {canRepair(faults) && <Repair />}
        </Alert>
      )}
      {findings.length > 0 && (
        <Alert
          component="h2"
          variant="warning"
          isInline
          isExpandable
          title={texts.problems.findings(findings.length)}
          data-problems="findings"
        >
          <List problems={findings} />
        </Alert>
      )}
    </>
  );
}

function List({ problems }: { readonly problems: readonly Problem[] }) {
  const [isOpen, setOpen] = useState(false);
  const rest = problems.length - FIRST;
  return (
    <>
      <ul className="hnet-problems">
        {problems.slice(0, isOpen ? undefined : FIRST).map(one => (
          <li key={one.key}>
            <strong>
              {one.domain !== undefined && (
                <>
                  <Name name={one.domain} />:{' '}
                </>
              )}
              {visible(one.what)}
            </strong>
            {one.why !== '' && <span className="hnet-why">{visible(one.why)}</span>}
            {one.mend !== undefined && !isRepaired(one) && (
              <span className="hnet-mend">
                {texts.problems.mend}: <Command text={one.mend} />
              </span>
            )}
          </li>
        ))}
      </ul>
      {rest > 0 && (
        <Button variant="link" isInline onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
          {isOpen ? texts.less : texts.more(rest)}
        </Button>
      )}
    </>
  );
}

/** Does what the command beside it does. */
function Repair() {
  const { answer, put } = useAsk(CHANGE);
  const { notify } = useDoing();
  const isBusy = answer.is === 'busy';
  const repair = async (): Promise<void> => {
    const done = await put(['sync']);
    if (done === undefined) return;
    const lines = [...done.changes.map(({ what }) => what), ...done.warnings];
    notify({
      title: texts.problems.repaired,
      lines: lines.length > 0 ? lines.map(visible) : [texts.problems.nothing],
    });
  };
  return (
    <div className="hnet-row">
      <Button
        variant="secondary"
        size="sm"
        isDisabled={isBusy}
        isLoading={isBusy}
        onClick={() => void repair()}
      >
        {isBusy ? texts.problems.repairing : texts.problems.repair}
      </Button>
      <code>{REPAIR}</code>
      {answer.is === 'failed' && <span role="alert">{visible(answer.why)}</span>}
    </div>
  );
}

/** What was done, until somebody has seen it. */
export function Said(props: {
  readonly title: string;
  readonly lines: readonly string[];
  readonly onClose: () => void;
}) {
  const { title, lines, onClose } = props;
  return (
    <Alert
      component="h2"
      variant="success"
      isInline
      isLiveRegion
      title={title}
      actionClose={<AlertActionCloseButton aria-label={texts.close} onClose={onClose} />}
    >
      {lines.length > 0 && (
        <ul>
          {lines.map(line => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
    </Alert>
  );
}
