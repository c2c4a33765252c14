import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { FormGroup } from '@patternfly/react-core/dist/esm/components/Form/index.js';
import {
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
} from '@patternfly/react-core/dist/esm/components/Modal/index.js';
import { TextInput } from '@patternfly/react-core/dist/esm/components/TextInput/index.js';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { type Attempt, becomeAdministrator, type Question } from '../door/superuser.ts';
import { texts } from '../texts.ts';

/** Asks what Cockpit asks for administrative access. The page itself notices when it is there. */
export function WayUp({ onClose }: { readonly onClose: () => void }) {
  const [question, setQuestion] = useState<Question>();
  const [why, setWhy] = useState<string>();
  const attempt = useRef<Attempt>(undefined);
  useEffect(() => {
    const one = becomeAdministrator({ ask: setQuestion, done: onClose, failed: setWhy });
    attempt.current = one;
    return one.cancel;
  }, [onClose]);
  const answer = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('answer');
    setQuestion(undefined);
    attempt.current?.answer(typeof text === 'string' ? text : '');
  };
  return (
    <Modal isOpen variant="small" aria-label={texts.limited.up} onClose={onClose}>
      <ModalHeader title={texts.limited.up} />
      <ModalBody>
        {why !== undefined && (
          <Alert
            component="p"
            variant="warning"
            isInline
            title={why === '' ? texts.limited.hint : visible(why)}
          >
            {why !== '' && texts.limited.hint}
          </Alert>
        )}
        {question !== undefined && (
          <form id="way-up" className="hnet-stack" onSubmit={answer}>
            {question.message !== '' && <p>{question.message}</p>}
            <FormGroup label={question.prompt || texts.limited.password} fieldId="way-up-answer">
              <TextInput
                id="way-up-answer"
                name="answer"
                type={question.isEchoed ? 'text' : 'password'}
                autoComplete="current-password"
                autoFocus
                validated={question.error === '' ? 'default' : 'error'}
              />
            </FormGroup>
            {question.error !== '' && (
              <p role="alert" className="hnet-why">
                {visible(question.error.trim())}
              </p>
            )}
          </form>
        )}
        {question === undefined && why === undefined && <p className="hnet-subtle">{texts.limited.asking}</p>}
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="way-up" variant="primary" isDisabled={question === undefined}>
          {texts.limited.confirm}
        </Button>
        <Button variant="link" onClick={onClose}>
          {texts.cancel}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
