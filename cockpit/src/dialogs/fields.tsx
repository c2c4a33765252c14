import { FormGroup, FormHelperText } from '@patternfly/react-core/dist/esm/components/Form/index.js';
import { FormSelect, FormSelectOption } from '@patternfly/react-core/dist/esm/components/FormSelect/index.js';
import { HelperText, HelperTextItem } from '@patternfly/react-core/dist/esm/components/HelperText/index.js';
import { TextInput } from '@patternfly/react-core/dist/esm/components/TextInput/index.js';

interface Choice {
  readonly value: string;
  readonly label: string;
}

/** One of several. */
export function Select(props: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly options: readonly Choice[];
  readonly onChange: (value: string) => void;
}) {
  const { id, label, value, options, onChange } = props;
  return (
    <FormGroup label={label} fieldId={id}>
      <FormSelect id={id} value={value} onChange={(_, chosen) => onChange(chosen)}>
        {options.map(one => (
          <FormSelectOption key={one.value} value={one.value} label={one.label} />
        ))}
      </FormSelect>
    </FormGroup>
  );
}

/** A line of text. @param why it can't be used */
export function Line(props: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly hint: string;
  readonly why?: string | undefined;
  readonly onChange: (value: string) => void;
}) {
  const { id, label, value, hint, why, onChange } = props;
  return (
    <FormGroup label={label} fieldId={id}>
      <TextInput
        id={id}
        value={value}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}-hint`}
        validated={why === undefined ? 'default' : 'error'}
        onChange={(_, text) => onChange(text)}
      />
      <FormHelperText>
        <HelperText id={`${id}-hint`} isLiveRegion>
          <HelperTextItem variant={why === undefined ? 'default' : 'error'}>{why ?? hint}</HelperTextItem>
        </HelperText>
      </FormHelperText>
    </FormGroup>
  );
}
