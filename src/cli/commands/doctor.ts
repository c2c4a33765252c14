import { examine, notesOn } from '../../doctor/examine.ts';
import { gather } from '../../doctor/gather.ts';
import type { Context } from '../../host/context.ts';
import { EXIT } from '../exit-codes.ts';

/** Whether this host is fit for hnet. */
export function doctor(context: Context): void {
  context.progress('examining this host');
  const facts = gather(context.host);
  const findings = examine(facts);
  const notes = notesOn(facts);
  context.answer({ findings, notes });
  for (const note of notes) context.print(`note: ${note}`);
  if (findings.length === 0) context.print('This host is fit');
  else for (const { what, why, mend } of findings) context.print(`${what}\n  why   ${why}\n  mend  ${mend}`);
  if (findings.length > 0) process.exitCode = EXIT.found;
}
