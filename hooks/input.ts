import { readFileSync } from 'node:fs';

/** The XML on standard input. */
export const readXml = (): string => readFileSync(0, 'utf8');
