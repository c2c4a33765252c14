/**
 * Two programs that both want the first place would write for ever. So what may wait waits longer each time, from the third
 * time within a minute on. What is missing, or blocks a domain, never waits.
 */
import type { Checked } from '../plan/walker.ts';
import type { Contest } from '../state/contests.ts';

const MINUTE = 60_000;
/** The first pause, and the longest, in milliseconds. Each is twice the one before. */
const SHORTEST = 2_000;
const LONGEST = MINUTE;
/** After so long without it, what was done again and again is forgotten. */
const QUIET = 10 * MINUTE;
const OFTEN = 3;

/** Something that is done again and again. Times are in milliseconds. */
class Course {
  readonly since: number;
  count = 0;
  pause = 0;
  until = 0;
  #last: number;
  #recent: readonly number[] = [];

  constructor(now: number) {
    this.since = now;
    this.#last = now;
  }

  isQuiet(now: number): boolean {
    return now - this.#last >= QUIET;
  }

  seen(now: number): void {
    this.#last = now;
  }

  /** @returns whether that is often */
  done(now: number): boolean {
    this.count += 1;
    this.#recent = [...this.#recent.filter(at => now - at < MINUTE), now];
    return this.#recent.length >= OFTEN;
  }
}

/** One that was quiet for long begins anew. */
function renewed(known: Course | undefined, now: number): Course {
  const course = known === undefined || known.isQuiet(now) ? new Course(now) : known;
  course.seen(now);
  return course;
}

/** What is misplaced, and when it is put in its place again. */
export class Contests {
  readonly #courses = new Map<string, { readonly course: Course; readonly matter: Matter }>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether something is to be left as it is for now. */
  waits(checked: Checked): boolean {
    const course = this.#courseOf(checked);
    return course !== undefined && this.#now() < course.until;
  }

  /** Notes what was put in its place. */
  mended(base: readonly Checked[]): void {
    const now = this.#now();
    for (const course of base.flatMap(checked => this.#courseOf(checked) ?? [])) {
      if (!course.done(now) && course.pause === 0) continue;
      course.pause = course.pause === 0 ? SHORTEST : Math.min(course.pause * 2, LONGEST);
      course.until = now + course.pause;
    }
  }

  /** How it has gone so far with something that may wait. */
  #courseOf({ resource, finding }: Checked): Course | undefined {
    if (finding.is !== 'changed' || finding.mayWait === undefined) return undefined;
    const key = `${resource.key}: ${finding.why}`;
    const course = renewed(this.#courses.get(key)?.course, this.#now());
    this.#courses.set(key, { course, matter: { what: resource.label, why: finding.why } });
    return course;
  }

  /** Milliseconds until the first of those that wait is due; undefined where none does. */
  get next(): number | undefined {
    const left = [...this.#courses.values()]
      .map(({ course }) => course.until - this.#now())
      .filter(one => one > 0);
    return left.length === 0 ? undefined : Math.min(...left);
  }

  /** Those that wait, or did lately. */
  get open(): Contest[] {
    return [...this.#courses.values()].flatMap(({ course, matter }) => {
      if (course.pause === 0 || course.isQuiet(this.#now())) return [];
      return [{ ...matter, times: course.count, since: course.since }];
    });
  }
}

type Matter = Pick<Contest, 'what' | 'why'>;

/** Says the same once, again when it comes the third time within a minute, and then once a minute with the number. */
export class Refrain {
  readonly #courses = new Map<string, Course>();

  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @returns what is to be said, or nothing */
  of(line: string): string | undefined {
    const now = this.#now();
    for (const [known, course] of this.#courses) if (course.isQuiet(now)) this.#courses.delete(known);
    const course = renewed(this.#courses.get(line), now);
    this.#courses.set(line, course);
    const isThird = course.done(now) && course.count === OFTEN;
    if (now < course.until && !isThird) return undefined;
    course.until = now + MINUTE;
    return course.count === 1 ? line : `${line}: ${course.count} times by now; see hnet doctor`;
  }
}
