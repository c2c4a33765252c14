import { main } from '../src/cli/cli.ts';

main(process.argv);
