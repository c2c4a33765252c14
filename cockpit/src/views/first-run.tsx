import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { FormGroup, FormHelperText } from '@patternfly/react-core/dist/esm/components/Form/index.js';
import { HelperText, HelperTextItem } from '@patternfly/react-core/dist/esm/components/HelperText/index.js';
import { TextArea } from '@patternfly/react-core/dist/esm/components/TextArea/index.js';
import { Title } from '@patternfly/react-core/dist/esm/components/Title/index.js';
import { useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { INIT, type Init } from '../model/answers.ts';
import { type Argv, initArgv, typed } from '../model/commands.ts';
import { CONFIG_FILE, readPools } from '../model/first-run.ts';
import { type Answer, useAsk } from '../parts/answer.ts';
import { Command } from '../parts/copy.tsx';
import { Facts } from '../parts/facts.tsx';
import { File } from '../parts/file.tsx';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

interface Props {
  /** Whether there is an hnet.toml by now: `hnet init` writes it before the rest is done. */
  readonly isSetUp: boolean;
  readonly onBegin: () => void;
  readonly onEnd: () => void;
}

/** Does what `hnet init` does: first it shows what would be written, then it is done. It stays until that has ended. */
export function FirstRun({ isSetUp, onBegin, onEnd }: Props) {
  const [text, setText] = useState('');
  const { pools, why } = readPools(text);
  const argv = initArgv(pools);
  const { look, done, isFound, submit } = useInit(argv, { onBegin, onEnd });
  const isLooking = look.is === 'busy';
  const isBusy = done.is === 'busy';
  if (done.is === 'done' && done.value.warnings.length > 0)
    return <Warned warnings={done.value.warnings} onEnd={onEnd} />;
  return (
    <form
      className="hnet-stack hnet-form"
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      <Title headingLevel="h2" size="2xl">
        {texts.first.title}
      </Title>
      {!isSetUp && <p>{texts.first.why}</p>}
      <PoolsField text={text} why={why} onChange={setText} />
      {isLooking && <p className="hnet-subtle">{texts.first.looking}</p>}
      <Failed answer={look} isSetUp={isSetUp} />
      <Failed answer={done} isSetUp={isSetUp} />
      {isFound && look.is === 'done' && <Found init={look.value} />}
      <Command text={typed(argv)} />
      <div className="hnet-row">
        <Submit isFound={isFound} isLooking={isLooking} isBusy={isBusy} isDisabled={why !== undefined} />
        {isSetUp && !isBusy && <GoOn variant="link" onEnd={onEnd} />}
      </div>
    </form>
  );
}

/** `hnet init` in two steps: what it would write, then that it does. Other pools are looked at anew. */
function useInit(argv: Argv, { onBegin, onEnd }: Pick<Props, 'onBegin' | 'onEnd'>) {
  const [looked, setLooked] = useState('');
  const look = useAsk(INIT);
  const done = useAsk(INIT);
  const line = typed(argv);
  const isFound = look.answer.is === 'done' && looked === line;
  const setUp = async (): Promise<void> => {
    onBegin();
    const set = await done.put(argv);
    // What it warns of is read first.
    if (set !== undefined && set.warnings.length === 0) onEnd();
  };
  const submit = (): void => {
    if (isFound) {
      void setUp();
      return;
    }
    setLooked(line);
    void look.put([...argv, '--dry-run']);
  };
  return { look: look.answer, done: done.answer, isFound, submit };
}

/** @param why it can't be used */
function PoolsField(props: {
  readonly text: string;
  readonly why: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const { text, why, onChange } = props;
  const variant = why === undefined ? 'default' : 'error';
  return (
    <FormGroup label={texts.first.pools} fieldId="pools">
      <TextArea
        id="pools"
        value={text}
        spellCheck={false}
        aria-describedby="pools-hint"
        validated={variant}
        onChange={(_, value) => onChange(value)}
      />
      <FormHelperText>
        <HelperText id="pools-hint" isLiveRegion>
          <HelperTextItem variant={variant}>{why ?? texts.first.poolsHint}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}

const Failed = ({ answer, isSetUp }: { readonly answer: Answer<Init>; readonly isSetUp: boolean }) =>
  answer.is === 'failed' && (
    <Alert component="p" variant="danger" isInline title={visible(answer.why)}>
      {isSetUp && texts.first.half}
    </Alert>
  );

function Submit(props: {
  readonly isFound: boolean;
  readonly isLooking: boolean;
  readonly isBusy: boolean;
  readonly isDisabled: boolean;
}) {
  const isWorking = props.isLooking || props.isBusy;
  return (
    <Button type="submit" variant="primary" isDisabled={props.isDisabled || isWorking} isLoading={isWorking}>
      {labelOf(props.isFound, props.isBusy)}
    </Button>
  );
}

const GoOn = ({ variant, onEnd }: { readonly variant: 'link' | 'primary'; readonly onEnd: () => void }) => (
  <Button variant={variant} onClick={onEnd}>
    {texts.first.goOn}
  </Button>
);

function Warned({ warnings, onEnd }: { readonly warnings: readonly string[]; readonly onEnd: () => void }) {
  return (
    <div className="hnet-stack hnet-form">
      <Title headingLevel="h2" size="2xl">
        {texts.first.done}
      </Title>
      {warnings.map(one => (
        <Alert component="p" key={one} variant="warning" isInline title={visible(one)} />
      ))}
      <div className="hnet-row">
        <GoOn variant="primary" onEnd={onEnd} />
      </div>
    </div>
  );
}

function labelOf(isFound: boolean, isBusy: boolean): string {
  if (isBusy) return texts.first.settingUp;
  return isFound ? texts.first.setUp : texts.first.look;
}

function Found({ init: { uplinks, config, warnings } }: { readonly init: Init }) {
  return (
    <Section title={texts.first.found}>
      {uplinks.map(({ devices, address, gateway, pools, delivery }) => (
        <Facts
          key={devices.join()}
          facts={[
            [texts.first.uplink, devices.join(', ') || texts.first.none],
            address !== null && [texts.first.address, address],
            gateway !== null && [texts.first.gateway, gateway],
            pools.length > 0 && [texts.first.pool, pools.join(', ')],
            pools.length > 0 && [texts.first.delivery, deliveryOf(delivery, pools)],
          ]}
        />
      ))}
      {warnings.map(one => (
        <Alert component="p" key={one} variant="warning" isInline isPlain title={visible(one)} />
      ))}
      <details>
        <summary>{texts.first.config}</summary>
        <File path={CONFIG_FILE} text={config} />
      </details>
    </Section>
  );
}

/** Of the families that the pools have. */
function deliveryOf({ ipv4, ipv6 }: Init['uplinks'][number]['delivery'], pools: readonly string[]): string {
  const word = (value: string | null): string => {
    if (value === 'routed') return texts.first.routed;
    return value === 'on-link' ? texts.first.onLink : texts.first.unknown;
  };
  const has6 = pools.some(pool => pool.includes(':'));
  const has4 = pools.some(pool => !pool.includes(':'));
  return [has4 && `IPv4 ${word(ipv4)}`, has6 && `IPv6 ${word(ipv6)}`].filter(Boolean).join('; ');
}
