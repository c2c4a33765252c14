import { useState } from 'react';
import { reason, visible } from '../../../src/model/refusal.ts';
import { formatRule, parseRule } from '../../../src/model/rule.ts';
import { firewallArgv, type Party } from '../model/commands.ts';
import { texts } from '../texts.ts';
import { CommandDialog } from './command-dialog.tsx';
import { Line, Select } from './fields.tsx';

interface Props {
  readonly party: Party;
  /** Those that it has, in their order. */
  readonly rules: readonly string[];
  readonly onClose: () => void;
}

/** Adds a rule, which hnet's own parser reads while it is typed. */
export function AddRuleDialog({ party, rules, onClose }: Props) {
  const [text, setText] = useState('');
  const [place, setPlace] = useState('');
  const read = readRule(text);
  const words = text.trim().split(/\s+/);
  const argv =
    read.rule === undefined
      ? undefined
      : firewallArgv(party, place === '' ? words : ['insert', place, ...words]);
  return (
    <CommandDialog
      title={texts.rules.addTo(visible(party.domain))}
      argv={argv}
      submit={texts.rules.add}
      after={rules}
      onClose={onClose}
    >
      <Line
        id="rule-words"
        label={texts.rules.words}
        value={text}
        hint={read.rule === undefined ? texts.rules.hint : `${texts.rules.reads}: ${read.rule}`}
        why={text.trim() === '' ? undefined : read.why}
        onChange={setText}
      />
      <Select
        id="rule-place"
        label={texts.rules.place}
        value={place}
        options={[
          { value: '', label: texts.rules.last },
          ...rules.map((rule, at) => ({ value: String(at + 1), label: texts.rules.before(at + 1, rule) })),
        ]}
        onChange={setPlace}
      />
    </CommandDialog>
  );
}

function readRule(text: string): { readonly rule?: string; readonly why?: string } {
  try {
    return { rule: formatRule(parseRule(text)) };
  } catch (error) {
    return { why: visible(reason(error)) };
  }
}
