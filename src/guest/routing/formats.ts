import { bird } from './bird.ts';
import { frr } from './frr.ts';
import type { RoutingFormat } from './routing.ts';

export const ROUTING_FORMATS: Readonly<Record<string, RoutingFormat>> = { bird, frr };
