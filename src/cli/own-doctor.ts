/** `hnet doctor` by a process of its own: it has time of its own, and whoever asks may do something else meanwhile. */
import * as v from 'valibot';
import type { Diagnosis } from '../doctor/diagnosis.ts';
import { CommandFailure } from '../host/command.ts';
import type { Host } from '../host/host.ts';
import { outlived } from '../host/outlived.ts';
import { ifPossible } from '../model/refusal.ts';

/** A unit's own limit is six minutes; in milliseconds. */
export const LIMIT = 360_000;

/** This very hnet, as a command. */
export const SELF = [process.execPath, process.argv[1] ?? ''];
const DOCTOR = [...SELF, 'doctor', '--json'];

const text = v.string();
const ANSWER = v.object({
  error: v.optional(text),
  findings: v.optional(v.array(v.object({ what: text, why: text, mend: text })), []),
  notes: v.optional(v.array(text), []),
});
type DoctorAnswer = v.InferOutput<typeof ANSWER>;

/** What doctor answers. `error` where it couldn't look. */
export function askDoctor(host: Host): DoctorAnswer {
  try {
    return answerIn(host.run(DOCTOR, '', LIMIT));
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    // It ends with an error too where it has found something.
    return answerIn(error.stdout);
  }
}

/** The same, told later: doctor may take half a minute where the provider doesn't answer. It ends with this process. */
export function sendForDoctor(told: (answer: DoctorAnswer) => void): void {
  const child = outlived(DOCTOR, { stdio: ['ignore', 'pipe', 'ignore'], timeout: LIMIT });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    output += part;
  });
  child.on('close', () => told(answerIn(output)));
}

function answerIn(output: string): DoctorAnswer {
  const read = v.safeParse(
    ANSWER,
    ifPossible(() => JSON.parse(output)),
  );
  return read.success
    ? read.output
    : { error: 'hnet doctor could not look at this host; run it to see why', findings: [], notes: [] };
}

/** What a doctor's silence looks like beside what it finds. */
export const findingsOf = ({ error, findings }: DoctorAnswer): readonly Diagnosis[] =>
  error === undefined
    ? findings
    : [{ what: 'hnet doctor has not looked at this host', why: error, mend: 'hnet doctor' }];
