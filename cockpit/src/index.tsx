import '@patternfly/react-core/dist/styles/base.css';
import './style/page.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { cockpit } from './door/cockpit.ts';
import { Monitor } from './door/feed.ts';
import { followTheme } from './door/theme.ts';
import { CONFIG_FILE } from './model/first-run.ts';
import { Page } from './views/page.tsx';

followTheme();
const monitor = new Monitor();
const permission = cockpit.permission({ admin: true });
let allowed: boolean | null = null;
const follow = (): void => {
  if (permission.allowed === allowed) return;
  allowed = permission.allowed;
  if (allowed === true) monitor.start();
  if (allowed === false) monitor.deny();
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
  cockpit.file(CONFIG_FILE).watch((content, _tag, problem) => show(problem ? undefined : content !== null));
}
