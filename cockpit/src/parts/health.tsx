import { Label } from '@patternfly/react-core/dist/esm/components/Label/index.js';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import ExchangeIcon from '@patternfly/react-icons/dist/esm/icons/exchange-alt-icon.js';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon.js';
import MinusCircleIcon from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon.js';
import OffIcon from '@patternfly/react-icons/dist/esm/icons/off-icon.js';
import ServerIcon from '@patternfly/react-icons/dist/esm/icons/server-icon.js';
import type { Health, Row } from '../model/overview.ts';
import { texts } from '../texts.ts';

const LOOKS = {
  ok: { color: 'green', icon: <CheckCircleIcon /> },
  faulty: { color: 'red', icon: <ExclamationCircleIcon /> },
  moving: { color: 'blue', icon: <ExchangeIcon /> },
  stopped: { color: 'grey', icon: <OffIcon /> },
  none: { color: 'grey', icon: <MinusCircleIcon /> },
  elsewhere: { color: 'grey', icon: <ServerIcon /> },
} as const;

type VmState = Row['state'];

/** By colour, icon and word: not everybody sees all of them. */
export function HealthLabel({ health, state }: { readonly health: Health; readonly state: VmState }) {
  const { color, icon } = LOOKS[health];
  return (
    <Label
      color={color}
      icon={icon}
      isCompact
      {...((health === 'none' || health === 'elsewhere') && { variant: 'outline' as const })}
    >
      {wordOf(health, state)}
    </Label>
  );
}

function wordOf(health: Health, state: VmState): string {
  if (health === 'elsewhere') return state === 'stopped' ? texts.away.stopped : texts.away.running;
  if (health === 'moving') return state === 'incoming' ? texts.way.incoming : texts.way.leaving;
  return texts.health[health];
}
