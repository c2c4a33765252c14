import { fileURLToPath } from 'node:url';

const PRESS_TAB = fileURLToPath(new URL('press-tab.zsh', import.meta.url));

/** Runs a command and gives back its standard output. */
type Run = (argv: readonly string[]) => Promise<string>;

/** What a shell shows at TAB behind a line, and what it makes of the line; fish only tells what it offers. */
export interface Pressed {
  readonly shown: string;
  readonly line: string;
}

/** How each shell is told where its script lies, if that isn't where it looks by itself. */
export type SetUp = Readonly<Record<'bash' | 'zsh' | 'fish', string>>;

/**
 * Presses TAB behind lines in a shell, in bash and zsh on a terminal.
 * @param script where press-tab.zsh lies on the machine that `run` runs on
 */
export async function pressTab(
  run: Run,
  shell: keyof SetUp,
  setUp: SetUp,
  lines: readonly string[],
  script = PRESS_TAB,
): Promise<Pressed[]> {
  if (shell === 'fish') return Promise.all(lines.map(line => inFish(run, setUp.fish, line)));
  const output = await run(['zsh', '-f', script, shell, setUp[shell], ...lines]);
  const parts = [...output.matchAll(/(.*?)<line>(.*?)<\/line>/gs)];
  return parts.map(([, shown = '', line = '']) => ({ shown: withoutControls(shown), line }));
}

async function inFish(run: Run, setUp: string, line: string): Promise<Pressed> {
  const shown = await run(['fish', '-c', `${setUp}; complete -C ${JSON.stringify(line)}`]);
  return { shown, line };
}

/** What moves the cursor parts words; NUL fills time on slow terminals. */
const withoutControls = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they begin with one
  text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]|\r/g, '\n').replaceAll('\0', '');
