import type { Row } from './row.ts';
import { calls } from './rows/calls.ts';
import { footprint } from './rows/footprint.ts';
import { growth } from './rows/growth.ts';
import { migrate } from './rows/migrate.ts';
import { move } from './rows/move.ts';
import { packets } from './rows/packets.ts';
import { parallel } from './rows/parallel.ts';
import { profile } from './rows/profile.ts';
import { reconnect } from './rows/reconnect.ts';
import { repair } from './rows/repair.ts';
import { routes } from './rows/routes.ts';
import { start } from './rows/start.ts';
import { steps } from './rows/steps.ts';

/** The table, from top to bottom. A new row is a file in rows/ and a line here. */
export const ROWS: readonly Row[] = [
  start,
  calls,
  profile,
  parallel,
  move,
  migrate,
  footprint,
  packets,
  steps,
  growth,
  repair,
  reconnect,
  routes,
];
