import { eachThird, killSuite } from '../support/kill-suite.ts';

killSuite(eachThird);
