/** docs/providers.md, as a reader uses it: the files of each kind of server, what is typed, and what is seen then. */
import { readFileSync } from 'node:fs';

export const GUIDE = readFileSync(new URL('../../docs/providers.md', import.meta.url), 'utf8');

/** A section that has files: one kind of server. */
export interface Chapter {
  readonly title: string;
  /** Path → text. */
  readonly files: ReadonlyMap<string, string>;
  readonly commands: readonly string[];
  readonly seen: readonly Shown[];
}

/** A command, and what it prints. */
export interface Shown {
  readonly command: string;
  readonly output: string;
}

export const HNET_TOML = '/etc/hnet/hnet.toml';
export const INTERFACES = '/etc/network/interfaces';

const blocksOf = (section: string, language: string): string[] =>
  [...section.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, text = '']) => text,
  );

/** A file's path stands in its first line, as a comment. */
const PATH = /^# (\/\S+)\n/;

function chapter(section: string): Chapter {
  const blocks = [...blocksOf(section, 'sh'), ...blocksOf(section, 'toml')];
  return {
    title: section.slice(0, section.indexOf('\n')),
    files: new Map(blocks.flatMap(text => (PATH.test(text) ? [[PATH.exec(text)?.[1] ?? '', text]] : []))),
    commands: blocks.filter(text => !PATH.test(text)).flatMap(text => text.trim().split('\n')),
    seen: blocksOf(section, 'console').flatMap(shownIn),
  };
}

const shownIn = (text: string): Shown[] =>
  text
    .split(/^# /m)
    .slice(1)
    .map(one => {
      const [command = '', ...output] = one.trimEnd().split('\n');
      return { command, output: output.join('\n') };
    });

export const CHAPTERS: readonly Chapter[] = GUIDE.split(/^## /m)
  .slice(1)
  .map(chapter)
  .filter(({ files }) => files.size > 0);
