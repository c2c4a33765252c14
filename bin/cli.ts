/** The command line. Its groups meet only here: below an entry point they would be a floor more. */
import { main } from '../src/cli/cli.ts';
import { addresses } from '../src/cli/tree/addresses.ts';
import { asking } from '../src/cli/tree/asking.ts';
import { cluster } from '../src/cli/tree/cluster.ts';
import { filter } from '../src/cli/tree/filter.ts';
import { forwards } from '../src/cli/tree/forward.ts';
import { guests } from '../src/cli/tree/guests.ts';
import { live } from '../src/cli/tree/live.ts';
import { maintenance } from '../src/cli/tree/maintenance.ts';
import { repair } from '../src/cli/tree/repair.ts';
import { seeing } from '../src/cli/tree/seeing.ts';
import { setUp } from '../src/cli/tree/set-up.ts';

main(process.argv, [
  addresses,
  forwards,
  seeing,
  asking,
  live,
  filter,
  repair,
  guests,
  setUp,
  cluster,
  maintenance,
]);
