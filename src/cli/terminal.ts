/** When output is coloured: `--color` says so, or what is known of the terminal. */
export const COLOUR_CHOICES = ['auto', 'always', 'never'] as const;
export type ColourChoice = (typeof COLOUR_CHOICES)[number];

/** The variables are those of no-color.org and bixense.com/clicolors: one that is empty counts as not set. */
export function takesColour(
  choice: ColourChoice,
  environment: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  const { NO_COLOR = '', CLICOLOR_FORCE = '', TERM } = environment;
  if (NO_COLOR !== '') return false;
  if (CLICOLOR_FORCE !== '' && CLICOLOR_FORCE !== '0') return true;
  return isTerminal && TERM !== 'dumb';
}
