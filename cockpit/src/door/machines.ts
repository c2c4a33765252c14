import { cockpit } from './cockpit.ts';

const MANIFEST = '/usr/share/cockpit/machines/manifest.json';

/** Whether Cockpit's own page of virtual machines is installed. */
export const hasMachines = (): Promise<boolean> =>
  new Promise(resolve => {
    cockpit
      .file(MANIFEST)
      .read()
      .then(
        content => resolve(content !== null),
        () => resolve(false),
      );
  });

/** Leads there, to one of them. */
export const goToMachine = (name: string): void =>
  cockpit.jump(`/machines#vm?name=${encodeURIComponent(name)}&connection=system`);
