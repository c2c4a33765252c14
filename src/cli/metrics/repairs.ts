import { isFact } from '../../model/journal.ts';
import { readJournal } from '../../state/journal-files.ts';
import { readLastSync } from '../../state/last-sync.ts';
import { type Metric, single } from './exposition.ts';

/** What the daemon has repaired, and when a sync last came to its end. */
export function repairMetrics(): Metric[] {
  const month = new Date().toISOString().slice(0, 7);
  const repairs = readJournal(month).entries.filter(entry => !isFact(entry)).length;
  const last = readLastSync();
  return [
    // The journal loses whole months: a sum over all of them would fall, which Prometheus takes for a counter that began anew.
    single('hnet_repairs_total', 'Repairs by the daemon since the month began, in UTC.', repairs),
    ...(last === undefined
      ? []
      : [
          single(
            'hnet_last_sync_timestamp_seconds',
            'When the daemon or hnet sync last looked at everything and repaired it.',
            last.at / 1000,
          ),
          single(
            'hnet_last_sync_success',
            'Whether everything was as it should be after the last sync: 1, or else 0.',
            Number(last.isGood),
          ),
        ]),
  ];
}
