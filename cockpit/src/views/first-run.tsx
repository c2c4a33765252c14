import { Alert } from '@patternfly/react-core/dist/esm/components/Alert/index.js';
import { Button } from '@patternfly/react-core/dist/esm/components/Button/index.js';
import { FormGroup, FormHelperText } from '@patternfly/react-core/dist/esm/components/Form/index.js';
import { HelperText, HelperTextItem } from '@patternfly/react-core/dist/esm/components/HelperText/index.js';
import { TextArea } from '@patternfly/react-core/dist/esm/components/TextArea/index.js';
import { Title } from '@patternfly/react-core/dist/esm/components/Title/index.js';
import { useState } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import { INIT, type Init } from '../model/answers.ts';
import { initArgv, typed } from '../model/commands.ts';
import { CONFIG_FILE, readPools } from '../model/first-run.ts';
import { useAsk } from '../parts/answer.ts';
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
  const [looked, setLooked] = useState('');
  const look = useAsk(INIT);
  const done = useAsk(INIT);
  const { pools, why } = readPools(text);
  const argv = initArgv(pools);
  const isLooking = look.answer.is === 'busy';
  const isBusy = done.answer.is === 'busy';
  const isFound = look.answer.is === 'done' && looked === text;
  const setUp = async (): Promise<void> => {
    onBegin();
    const set = await done.put(argv);
    // What it warns of is read first.
    if (set !== undefined && set.warnings.length === 0) onEnd();
  };
  if (done.answer.is === 'done' && done.answer.value.warnings.length > 0)
    return <Warned warnings={done.answer.value.warnings} onEnd={onEnd} />;
  return (
    <form
      className="hnet-stack hnet-form"
      onSubmit={event => {
        event.preventDefault();
        if (isFound) void setUp();
        else {
          setLooked(text);
          void look.put([...argv, '--dry-run']);
        }
      }}
    >
      <Title headingLevel="h2" size="2xl">
        {texts.first.title}
      </Title>
      {!isSetUp && <p>{texts.first.why}</p>}
      <FormGroup label={texts.first.pools} fieldId="pools">
        <TextArea
          id="pools"
          value={text}
          spellCheck={false}
          aria-describedby="pools-hint"
          validated={why === undefined ? 'default' : 'error'}
          onChange={(_, value) => setText(value)}
        />
        <FormHelperText>
          <HelperText id="pools-hint" isLiveRegion>
            <HelperTextItem variant={why === undefined ? 'default' : 'error'}>
              {why ?? texts.first.poolsHint}
            </HelperTextItem>
          </HelperText>
        </FormHelperText>
      </FormGroup>
      {isLooking && <p className="hnet-subtle">{texts.first.looking}</p>}
      {[look.answer, done.answer].map(
        (answer, at) =>
          answer.is === 'failed' && (
            <Alert
              component="p"
              key={at === 0 ? 'look' : 'done'}
              variant="danger"
              isInline
              title={visible(answer.why)}
            >
              {isSetUp && texts.first.half}
            </Alert>
          ),
      )}
      {isFound && look.answer.is === 'done' && <Found init={look.answer.value} />}
      <Command text={typed(argv)} />
      <div className="hnet-row">
        <Button
          type="submit"
          variant="primary"
          isDisabled={why !== undefined || isLooking || isBusy}
          isLoading={isLooking || isBusy}
        >
          {labelOf(isFound, isBusy)}
        </Button>
        {isSetUp && !isBusy && (
          <Button variant="link" onClick={onEnd}>
            {texts.first.goOn}
          </Button>
        )}
      </div>
    </form>
  );
}

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
        <Button variant="primary" onClick={onEnd}>
          {texts.first.goOn}
        </Button>
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
