/** Writes the language of manual pages, in the macros of man(7). */

export interface Page {
  readonly name: string;
  /** 8 for commands, 5 for files. */
  readonly section: 5 | 8;
  readonly summary: string;
  /** Sections of the page after NAME: a heading, and lines of roff. */
  readonly parts: readonly (readonly [heading: string, lines: readonly string[]])[];
}

/** Where and when a page was made, for its foot. */
export interface Edition {
  readonly version: string;
  /** Such as 2026-11-28. */
  readonly date: string;
}

export function renderPage({ name, section, summary, parts }: Page, { version, date }: Edition): string {
  const all = [['NAME', [`${plain(name)} \\- ${plain(summary)}`]] as const, ...parts];
  return [
    `.TH ${name.toUpperCase()} ${section} "${date}" "hnet ${version}" "hnet manual"`,
    // Lines aren't stretched: much of it is to be copied.
    '.ad l',
    ...all.filter(([, lines]) => lines.length > 0).flatMap(([title, lines]) => [`.SH ${title}`, ...lines]),
    '',
  ].join('\n');
}

/** A text of sentences: bold are code in backticks and options, italic the names of sections that Markdown links to. */
export const prose = (text: string): string =>
  text
    .split(/(`[^`]+`|(?<![\w-])--[a-z][a-z-]*|\[[^\]]+\]\([^)]+\))/)
    .map(part => {
      const [, title] = /^\[([^\]]+)\]\(/.exec(part) ?? [];
      if (title !== undefined) return italic(title);
      return /^(`|--)/.test(part) ? bold(part.replaceAll('`', '')) : plain(part);
    })
    .join('');

/** A description as a sentence. */
export const sentence = (text: string): string => prose(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);

/** A paragraph of each text. */
export const proseOf = (texts: readonly string[]): string[][] => texts.map(text => [prose(text)]);

export const bold = (text: string): string => `\\fB${literal(text)}\\fR`;
export const italic = (text: string): string => `\\fI${literal(text)}\\fR`;

/** A reference to another page, whose name isn't broken at the end of a line. */
export const reference = (name: string, section: 1 | 5 | 8): string => `\\%${bold(name)}(${section})`;

/** A term and what it means. */
export const entry = (term: string, ...text: readonly string[]): string[] => ['.TP', term, ...text];

/** What belongs to the entry before it. */
export const indented = (lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['.RS', ...lines, '.RE'];

/** Lines as they are. */
export const example = (lines: readonly string[]): string[] =>
  indented(['.EX', ...lines.map(literal), '.EE']);

/** Paragraphs of lines each; the heading before the first parts it from what is above. */
export const paragraphs = (all: readonly (readonly string[])[]): string[] =>
  all.flatMap(lines => ['.PP', ...lines]).slice(1);

/** A line of text; at its begin a dot or an apostrophe would be taken for a request. */
const plain = (text: string): string => text.replaceAll('\\', '\\e').replace(/^(?=[.'])/, '\\&');

/** What is to be typed: roff makes typographic signs of these characters. */
const literal = (text: string): string => plain(text).replaceAll(/[-'`^~]/g, sign => SIGNS[sign] ?? sign);

const SIGNS: Readonly<Record<string, string>> = {
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};
