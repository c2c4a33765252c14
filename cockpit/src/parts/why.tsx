import { visible } from '../../../src/model/refusal.ts';

/** What is wrong, a line each; nothing where all is well. */
export const Why = ({ faults }: { readonly faults: readonly string[] }) =>
  faults.length > 0 && (
    <ul className="hnet-why">
      {faults.map(fault => (
        <li key={fault}>{visible(fault)}</li>
      ))}
    </ul>
  );
