import '@patternfly/react-core/dist/styles/base.css';
import './style/page.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { CONFIG_FILE } from '../../src/model/names.ts';
import { cockpit } from './door/cockpit.ts';
import { Monitor } from './door/feed.ts';
import { followTheme } from './door/theme.ts';
import { Page } from './views/page.tsx';

followTheme();
const monitor = new Monitor();
const permission = cockpit.permission({ admin: true });
const follow = (): void => {
  if (permission.allowed === true) monitor.start();
  if (permission.allowed === false) monitor.deny();
};
permission.addEventListener('changed', follow);
follow();

const place = document.getElementById('page');
if (place !== null) {
  const root = createRoot(place);
  const show = (isSetUp: boolean | undefined): void =>
    root.render(
      <StrictMode>
        <Page monitor={monitor} isSetUp={isSetUp} />
      </StrictMode>,
    );
  show(undefined);
  // It tells at once, and whenever the file comes or goes.
  cockpit.file(CONFIG_FILE).watch(content => show(content !== null));
}
