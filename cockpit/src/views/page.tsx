import { useSyncExternalStore } from 'react';
import { visible } from '../../../src/model/refusal.ts';
import type { Monitor } from '../door/feed.ts';
import { texts } from '../texts.ts';

/** The whole page. */
export function Page({ monitor }: { readonly monitor: Monitor }) {
  const { seen, link } = useSyncExternalStore(monitor.subscribe, monitor.current);
  const { state } = seen;
  return (
    <main>
      <h1>{texts.title}</h1>
      {link.is === 'lost' && <p role="alert">{link.why}</p>}
      {state === undefined && <p>{texts.waiting}</p>}
      {state !== undefined && (
        <table aria-label={texts.overview}>
          <thead>
            <tr>
              <th>{texts.domain}</th>
              <th>{texts.state}</th>
              <th>{texts.address}</th>
              <th>{texts.bridge}</th>
              <th>{texts.health}</th>
            </tr>
          </thead>
          <tbody>
            {[...state.domains.values()].flatMap(({ domain, uuid, state: running, addresses }) =>
              addresses.map(({ address, bridge, faults }) => (
                <tr key={`${uuid} ${address}`}>
                  <td>{visible(domain)}</td>
                  <td>{texts[running]}</td>
                  <td>{address}</td>
                  <td>{bridge}</td>
                  <td>{faults[0] ?? texts.ok}</td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      )}
    </main>
  );
}
