import { explain } from '../../doctor/reach/explain.ts';
import type { ReachFacts } from '../../doctor/reach/facts.ts';
import { gatherReach } from '../../doctor/reach/gather.ts';
import type { Context } from '../../host/context.ts';
import { quote } from '../../model/refusal.ts';
import { EXIT } from '../exit-codes.ts';

/** Why a domain isn't reachable: the first thing that explains it. */
export function reach(name: string, context: Context): void {
  const facts = gatherReach(name, context);
  const [finding] = explain(facts);
  context.answer({ domain: facts.domain, finding: finding ?? null, facts });
  if (finding === undefined) for (const line of wellness(facts)) context.print(line);
  else {
    const { address, saw, mend } = finding;
    context.print(
      `${quote(facts.domain)}${address === null ? '' : `, ${address}`}\n  saw  ${saw}\n  do   ${mend}`,
    );
  }
  for (const one of facts.blind) context.warn(one);
  if (finding !== undefined) process.exitCode = EXIT.found;
}

/** What was seen of each address, and no more than that. */
const wellness = ({ domain, addresses, rules }: ReachFacts): string[] => [
  `Nothing was found that keeps ${quote(domain)} from being reached`,
  ...addresses.map(({ address, heard }) => {
    const parts = [
      heard?.arrives === 'yes' && 'it arrives here',
      heard?.passes === 'yes' && 'it reaches the bridge',
      heard?.answers != null && 'the VM answers for it',
      heard?.replies === 'yes' && 'the VM replies to a ping',
      heard?.leaves === 'yes' && 'its reply leaves',
    ].filter(part => part !== false);
    return `  ${address}  ${parts.join(', ') || 'nothing was heard of it'}`;
  }),
  ...(rules.dropped > 0 ? [`  its rules dropped ${rules.dropped} packets meanwhile`] : []),
];
