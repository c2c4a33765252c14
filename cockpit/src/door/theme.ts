/** Light or dark, as the shell around the page is. */

/** Where Cockpit's shell keeps what was chosen: `auto`, `light` or `dark`. */
const KEY = 'shell:style';
/** PatternFly's classes: this page's, and that of parts that others bring. */
const CLASSES = ['pf-v6-theme-dark', 'pf-v5-theme-dark'] as const;

/** Follows the shell's choice and the browser's, for as long as the page is open. */
export function followTheme(): void {
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const put = (chosen: string | null): void => {
    const isDark = chosen === 'dark' || (chosen !== 'light' && system.matches);
    for (const name of CLASSES) document.documentElement.classList.toggle(name, isDark);
  };
  const putStored = (): void => put(localStorage.getItem(KEY));
  putStored();
  system.addEventListener('change', putStored);
  window.addEventListener('storage', ({ key }) => {
    if (key === KEY) putStored();
  });
  // The shell tells a frame that is already open by an event of its own.
  window.addEventListener('cockpit-style', event => {
    const chosen: unknown = event instanceof CustomEvent ? event.detail?.style : undefined;
    put(typeof chosen === 'string' ? chosen : localStorage.getItem(KEY));
  });
}
