import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import {
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core/dist/esm/components/Modal/index.js';
import { type FormEvent, type ReactNode, useEffect } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { CHANGE, type Change, DONE } from '../model/answers.ts';
import { type Argv, typed } from '../model/commands.ts';
import { type Answer, useAsk } from '../parts/answer.ts';
import { Changes } from '../parts/changes.tsx';
import { Command } from '../parts/copy.tsx';
import { texts } from '../texts.ts';
import { useDoing } from './wishes.ts';

/** What has the focus when a dialog opens. */
const FIRST_FIELD = '#hnet-dialog :is(select, input), [form="hnet-dialog"]';
/** Somebody who types is let finish, in milliseconds. */
const PAUSE = 400;

interface Props {
  readonly title: string;
  /** Undefined while the form isn't complete. */
  readonly argv: Argv | undefined;
  readonly submit: string;
  readonly isDanger?: boolean;
  /** Whether the command has a dry run, which is then shown. */
  readonly hasPreview?: boolean;
  /** Changes with the host: what would change is then looked at again. */
  readonly after?: unknown;
  readonly children?: ReactNode;
  readonly onClose: () => void;
}

/** Shows a command with what it would change, and runs it. What was filled in stays when it fails. */
export function CommandDialog(props: Props) {
  const { title, argv, submit, isDanger = false, hasPreview = true, children, onClose } = props;
  const preview = usePreview(hasPreview ? argv : undefined, props.after);
  const { answer, run } = useRun(argv, hasPreview, onClose);
  const isBusy = answer.is === 'busy';
  /** What has begun has an end, which somebody must be told. */
  const close = (): void => {
    if (!isBusy) onClose();
  };
  return (
    <Modal isOpen variant="medium" aria-label={title} elementToFocus={FIRST_FIELD} onClose={close}>
      <ModalHeader title={title} />
      <ModalBody>
        <Form onSubmit={() => void run()}>
          {children}
          <Runs argv={argv} />
          {hasPreview && argv !== undefined && <Preview answer={preview} />}
          {answer.is === 'failed' && <Failed why={answer.why} />}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="hnet-dialog"
          variant={isDanger ? 'danger' : 'primary'}
          isDisabled={argv === undefined || isBusy}
          isLoading={isBusy}
        >
          {submit}
        </Button>
        <Button variant="link" isDisabled={isBusy} onClick={close}>
          {texts.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function Form({ onSubmit, children }: { readonly onSubmit: () => void; readonly children: ReactNode }) {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form id="hnet-dialog" className="hnet-stack" onSubmit={submit}>
      {children}
    </form>
  );
}

const Failed = ({ why }: { readonly why: string }) => (
  <Alert component="h2" variant="danger" isInline isLiveRegion title={texts.dialog.failed}>
    {visible(why)}
  </Alert>
);

/** Runs the command, and tells what it has done. */
function useRun(argv: Argv | undefined, hasPreview: boolean, onDone: () => void) {
  const { answer, put, forget } = useAsk(hasPreview ? CHANGE : DONE);
  const { notify } = useDoing();
  const line = argv && typed(argv);
  // What was said of another command would mislead.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is forgotten because the command has changed
  useEffect(forget, [line, forget]);
  const run = async (): Promise<void> => {
    if (argv === undefined) return;
    const done = await put(argv);
    if (done === undefined) return;
    notify({ title: texts.dialog.done(typed(argv)), lines: linesOf(done) });
    onDone();
  };
  return { answer, run };
}

/** What the command would change, looked at when somebody has stopped typing. */
function usePreview(argv: Argv | undefined, after: unknown): Answer<Change> {
  const { answer, put, forget } = useAsk(CHANGE);
  const question = argv && JSON.stringify([argv, after]);
  useEffect(() => {
    if (question === undefined) {
      forget();
      return;
    }
    const [words] = JSON.parse(question) as [string[]];
    const timer = window.setTimeout(
      () => void put([...words.slice(0, 1), '--dry-run', ...words.slice(1)]),
      PAUSE,
    );
    return () => window.clearTimeout(timer);
  }, [question, put, forget]);
  return answer;
}

const linesOf = (done: {
  readonly warnings: readonly string[];
  readonly changes?: Change['changes'];
}): string[] => [
  ...(done.changes ?? []).map(({ is, domain, what }) =>
    visible([domain ?? '', what, `(${isWord(is)})`].filter(word => word !== '').join(' ')),
  ),
  ...done.warnings.map(visible),
];

const isWord = (is: string): string =>
  Object.entries(texts.dialog.is).find(([word]) => word === is)?.[1] ?? is;

function Runs({ argv }: { readonly argv: Argv | undefined }) {
  return (
    <section className="hnet-runs" aria-label={texts.dialog.runs}>
      <h2>{texts.dialog.runs}</h2>
      {argv === undefined ? (
        <p className="hnet-subtle">{texts.dialog.incomplete}</p>
      ) : (
        <Command text={typed(argv)} />
      )}
    </section>
  );
}

function Preview({ answer }: { readonly answer: Answer<Change> }) {
  return (
    <section aria-label={texts.dialog.preview} aria-live="polite">
      <h2>{texts.dialog.preview}</h2>
      {(answer.is === 'busy' || answer.is === 'idle') && (
        <p className="hnet-subtle">{texts.dialog.looking}</p>
      )}
      {answer.is === 'failed' && (
        <Alert component="h2" variant="warning" isInline isPlain title={visible(answer.why)} />
      )}
      {answer.is === 'done' && <Changes change={answer.value} />}
    </section>
  );
}
