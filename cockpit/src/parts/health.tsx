import { Label } from '@patternfly/react-core/dist/esm/components/Label/index.js';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon.js';
import ExchangeIcon from '@patternfly/react-icons/dist/esm/icons/exchange-alt-icon.js';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon.js';
import MinusCircleIcon from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon.js';
import OffIcon from '@patternfly/react-icons/dist/esm/icons/off-icon.js';
import type { Health } from '../model/overview.ts';
import { texts } from '../texts.ts';

const LOOKS = {
  ok: { color: 'green', icon: <CheckCircleIcon /> },
  faulty: { color: 'red', icon: <ExclamationCircleIcon /> },
  moving: { color: 'blue', icon: <ExchangeIcon /> },
  stopped: { color: 'grey', icon: <OffIcon /> },
  none: { color: 'grey', icon: <MinusCircleIcon /> },
} as const;

/** By colour, icon and word: not everybody sees all of them. */
export function HealthLabel({ health }: { readonly health: Health }) {
  const { color, icon } = LOOKS[health];
  return (
    <Label color={color} icon={icon} isCompact {...(health === 'none' && { variant: 'outline' as const })}>
      {texts.health[health]}
    </Label>
  );
}
