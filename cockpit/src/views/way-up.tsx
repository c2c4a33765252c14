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
  const answer = (text: string): void => {
    setQuestion(undefined);
    attempt.current?.answer(text);
  };
  return (
    <Modal isOpen variant="small" aria-label={texts.limited.up} onClose={onClose}>
      <ModalHeader title={texts.limited.up} />
      <ModalBody>
        {why !== undefined && <Denied why={why} />}
        {question !== undefined && <Asked question={question} onAnswer={answer} />}
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

const Denied = ({ why }: { readonly why: string }) => (
  <Alert component="p" variant="warning" isInline title={why === '' ? texts.limited.hint : visible(why)}>
    {why !== '' && texts.limited.hint}
  </Alert>
);

function Asked(props: { readonly question: Question; readonly onAnswer: (text: string) => void }) {
  const { message, prompt, isEchoed, error } = props.question;
  const answer = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const text = new FormData(event.currentTarget).get('answer');
    props.onAnswer(typeof text === 'string' ? text : '');
  };
  return (
    <form id="way-up" className="hnet-stack" onSubmit={answer}>
      {message !== '' && <p>{message}</p>}
      <FormGroup label={prompt || texts.limited.password} fieldId="way-up-answer">
        <TextInput
          id="way-up-answer"
          name="answer"
          type={isEchoed ? 'text' : 'password'}
          autoComplete="current-password"
          autoFocus
          validated={error === '' ? 'default' : 'error'}
        />
      </FormGroup>
      {error !== '' && (
        <p role="alert" className="hnet-why">
          {visible(error.trim())}
        </p>
      )}
    </form>
  );
}
