import { everyStep, killSuite } from '../support/kill-suite.ts';

killSuite(everyStep);
