import { TextInput } from '@patternfly/react-core/dist/esm/components/TextInput/index.js';
import {
  ToggleGroup,
  ToggleGroupItem,
} from '@patternfly/react-core/dist/esm/components/ToggleGroup/index.js';
import { type Choice, KINDS, matching, type Row } from '../model/overview.ts';
import { texts } from '../texts.ts';

/** Which of the VMs are shown. */
export function Filter(props: {
  readonly choice: Choice;
  readonly rows: readonly Row[];
  readonly onChange: (choice: Choice) => void;
}) {
  const { choice, rows, onChange } = props;
  const isCluster = rows.some(({ host }) => host !== undefined);
  const shown = KINDS.filter(kind => kind !== 'elsewhere' || isCluster);
  return (
    <div className="hnet-toolbar">
      <TextInput
        type="search"
        className="hnet-search"
        value={choice.text}
        placeholder={texts.overview.filter}
        aria-label={texts.overview.filter}
        onChange={(_, text) => onChange({ ...choice, text, page: 1 })}
      />
      <ToggleGroup aria-label={texts.overview.kind} isCompact>
        {shown.map(kind => (
          <ToggleGroupItem
            key={kind}
            buttonId={`kind-${kind}`}
            text={`${texts.overview.kinds[kind]} ${matching(rows, { ...choice, kind }).length}`}
            isSelected={choice.kind === kind}
            onChange={() => onChange({ ...choice, kind, page: 1 })}
          />
        ))}
      </ToggleGroup>
    </div>
  );
}
