import { examine, notesOn } from '../../doctor/examine.ts';
import { gather } from '../../doctor/gather.ts';
import type { Context } from '../../host/context.ts';
import { EXIT } from '../exit-codes.ts';
import { findingLines } from '../views/findings.ts';

/** Whether this host is fit for hnet. */
export function doctor(context: Context): void {
  context.progress('examining this host');
  const facts = gather(context.host);
  const findings = examine(facts);
  const notes = notesOn(facts);
  context.answer({ findings, notes });
  for (const line of findingLines(findings, notes)) context.print(line);
  if (findings.length > 0) process.exitCode = EXIT.found;
}
