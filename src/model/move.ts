/** The states of a domain's routes while it moves between hosts. */
import { HOST_METRIC } from './names.ts';
import type { Family } from './prefix.ts';

/**
 * States in which a domain is on its way: `incoming` to this host, `leaving` it, or just `arrived` here. What its attachment
 * says without one is that it is here, and nowhere else.
 */
export const MOVE_STATES = ['incoming', 'leaving', 'arrived'] as const;
export type MoveState = (typeof MOVE_STATES)[number];

/**
 * The metric of a domain's routes in a state. A peer's route, which BIRD brings, has 150: better than one that is incoming or
 * leaving here, and worse than that of a domain that is here. The pool's dead end is the worst of all.
 */
export const MOVE_METRIC: Readonly<Record<MoveState, number>> = { arrived: 50, incoming: 175, leaving: 190 };
export const PEER_METRIC = 150;

/** Seconds after which BIRD asks the kernel whether it has missed a route. */
export const SCAN_TIME = 10;

export const metricOf = (family: Family, state: MoveState | undefined): number =>
  state === undefined ? HOST_METRIC[family] : MOVE_METRIC[state];

/** All metrics that a host route of ours may have. */
export const metricsOf = (family: Family): number[] => [HOST_METRIC[family], ...Object.values(MOVE_METRIC)];

/** Whether packets are to come to this host, as far as it has a say: its peers may not hold it yet, or not any more. */
export const isHere = (state: MoveState | undefined): boolean => state !== 'incoming' && state !== 'leaving';
