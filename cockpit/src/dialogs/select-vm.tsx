import { visible } from '../../../src/model/refusal.ts';
import type { Candidate } from '../model/candidates.ts';
import { texts } from '../texts.ts';
import { Select } from './fields.tsx';

/** One of some VMs, each with the addresses that it has; none to begin with. */
export function SelectVm({
  candidates,
  ...rest
}: {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly candidates: readonly Candidate[];
  readonly onChange: (uuid: string) => void;
}) {
  return (
    <Select {...rest} options={[{ value: '', label: texts.dialog.chooseVm }, ...candidates.map(optionOf)]} />
  );
}

const optionOf = ({ uuid, domain, held }: Candidate) => ({
  value: uuid,
  label: held === '' ? visible(domain) : `${visible(domain)} (${held})`,
});
