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
import { readPools } from '../model/first-run.ts';
import { useAsk } from '../parts/answer.ts';
import { Command, Copy } from '../parts/copy.tsx';
import { Facts } from '../parts/facts.tsx';
import { Section } from '../parts/section.tsx';
import { texts } from '../texts.ts';

/** Does what `hnet init` does: first it shows what would be written, then it is done. */
export function FirstRun() {
  const [text, setText] = useState('');
  const [looked, setLooked] = useState('');
  const look = useAsk(INIT);
  const done = useAsk(INIT);
  const { pools, why } = readPools(text);
  const argv = initArgv(pools);
  const isLooking = look.answer.is === 'busy';
  const isBusy = done.answer.is === 'busy';
  const isFound = look.answer.is === 'done' && looked === text;
  return (
    <form
      className="hnet-stack hnet-form"
      onSubmit={event => {
        event.preventDefault();
        if (isFound) void done.put(argv);
        else {
          setLooked(text);
          void look.put([...argv, '--dry-run']);
        }
      }}
    >
      <Title headingLevel="h2" size="2xl">
        {texts.first.title}
      </Title>
      <p>{texts.first.why}</p>
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
            />
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
      </div>
    </form>
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
        <figure className="hnet-file">
          <figcaption className="hnet-row">
            <code>/etc/hnet/hnet.toml</code>
            <Copy text={config} what="hnet.toml" />
          </figcaption>
          <pre>{config}</pre>
        </figure>
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
