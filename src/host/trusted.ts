/** Which programs an operator's directory holds that root may run. */
import { realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ifPossible } from '../model/refusal.ts';
import { namesIn } from './files.ts';

/** The programs of a directory in the order of their names, and why others in it aren't run. */
interface Programs {
  readonly files: readonly string[];
  readonly refused: readonly string[];
}

/** As run-parts(8) and others have it: what an editor or a package manager leaves is no program. */
const PROGRAM = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const LEFTOVER = /\.(bak|orig|rej|swp|disabled|dpkg-[a-z]+|rpm[a-z]+)$/;

/**
 * Of a directory what is executable. A file that another user could have written isn't run: neither it, nor what a link leads to,
 * nor any directory above may belong to another user than root, or be writable by others.
 */
export function programsIn(directory: string): Programs {
  const files: string[] = [];
  const refused: string[] = [];
  for (const name of namesIn(directory).sort()) {
    if (!PROGRAM.test(name) || LEFTOVER.test(name)) continue;
    const path = join(directory, name);
    const status = ifPossible(() => statSync(path));
    if (!status?.isFile() || (status.mode & 0o111) === 0) continue;
    const why = doubtful(path) ?? doubtful(join(directory, '.'));
    if (why === undefined) files.push(path);
    else refused.push(`Cannot run ${path}: ${why}`);
  }
  return { files, refused };
}

/** Who else could have written a file; undefined: nobody. */
function doubtful(path: string): string | undefined {
  for (let at = realpathSync(path); ; at = dirname(at)) {
    const { uid, mode } = statSync(at);
    if (uid !== 0) return `${at} belongs to the user with the number ${uid}; chown root ${at}`;
    if ((mode & 0o022) !== 0) return `${at} is writable by others than its owner; chmod go-w ${at}`;
    if (at === dirname(at)) return undefined;
  }
}
