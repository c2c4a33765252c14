import type { Words } from '../tree/words.ts';
import {
  commandName,
  type Flag,
  type Given,
  lastWord,
  MADE,
  type Outline,
  type Shown,
  takingValues,
} from './shape.ts';

/** The script for fish 3. */
export const fishScript = (outline: Outline): string =>
  [`# fish completion for hnet\n${MADE}\n`, tellingFunctions(outline), READING, ASKING, lines(outline)].join(
    '\n',
  );

/** What the commands tell of themselves: which options take a value, and which commands have others below them. */
const tellingFunctions = (outline: Outline): string => `\
function __hnet_takes
    contains -- "$argv[1]" ${takers(outline).join(' ')}
end

function __hnet_has_commands
    contains -- "$argv[1]" ${parents(outline.commands)}
end
`;

/** Reads the line up to the cursor. */
const READING = `\
# The command, then its arguments so far, without options and their values.
function __hnet_words
    set -l found
    set -l skip no
    set -l plain no
    for token in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        if test $plain = no
            if __hnet_takes "$found[1] $token"
                set skip yes
                continue
            end
            switch $token
                case --
                    set plain yes
                    continue
                case '-*'
                    continue
            end
        end
        if test (count $found) -eq 1; and __hnet_has_commands "$found[1]"
            set found[1] "$found[1] $token"
        else
            set -a found $token
        end
    end
    printf '%s\\n' $found
end
`;

/** What the conditions of the lines below ask, and what asks hnet itself. */
const ASKING = `\
function __hnet_in
    set -l words (__hnet_words)
    test "$words[1]" = "$argv[1]"
end

# At an argument of a command, by its number from 0, or behind it.
function __hnet_at
    set -l words (__hnet_words)
    test "$words[1]" = "$argv[1]"; or return 1
    set -l count (math (count $words) - 1)
    test $count -eq $argv[2]; or test "$argv[3]" = more -a $count -gt $argv[2]
end

function __hnet_ask
    set -l words (__hnet_words)
    set -l current (commandline -ct | string replace -r '^--[^=]*=' '')
    hnet complete -- $argv[1] "$current" $words[2..-1] 2>/dev/null
end
`;

const lines = ({ flags, commands }: Outline): string => `\
complete -c hnet -f
${flags.map(flag => flagLine(isIn(''), flag)).join('\n')}
${commands.map(linesOf).join('\n')}
`;

/** hnet-assign is `hnet assign`. */
export const fishAssignScript = (): string => `# fish completion for hnet-assign
${MADE}
complete -c hnet-assign -w 'hnet assign'
`;

const parents = (commands: readonly Shown[]): string =>
  commands
    .filter(({ isParent }) => isParent)
    .map(one => word(commandName(one)))
    .join(' ');

const linesOf = (one: Shown): string =>
  [
    `complete -c hnet -n "${isIn(one.path.slice(0, -1).join(' '))}" -a ${lastWord(one)} -d ${word(one.summary)}`,
    ...one.flags.map(flag => flagLine(isIn(commandName(one)), flag)),
    ...one.places.map((place, at) => placeLine(commandName(one), place, at)),
  ].join('\n');

const isIn = (command: string): string => `__hnet_in ${word(command)}`;

function flagLine(condition: string, { names, meaning, value }: Flag): string {
  const spelt = names.map(name => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return `complete -c hnet -n "${condition}" ${spelt.join(' ')} -d ${word(meaning)}${value === undefined ? '' : ofValue(value.words)}`;
}

const ofValue = (words: Words): string => (words === 'files' ? ' -r -F' : ` -x -a ${offer(words)}`);

function placeLine(command: string, { words, repeats }: Given, at: number): string {
  const condition = `__hnet_at ${word(command)} ${at}${repeats ? ' more' : ''}`;
  return `complete -c hnet -n "${condition}" ${words === 'files' ? '-F' : `-k -a ${offer(words)}`}`;
}

const offer = (words: Exclude<Words, 'files'>): string =>
  'ask' in words ? `'(__hnet_ask ${words.ask})'` : word(words.join(' '));

/** In fish a backslash escapes within single quotes too. */
const word = (text: string): string => `'${text.replaceAll(/[\\']/g, '\\$&')}'`;

const takers = (outline: Outline): string[] =>
  takingValues(outline).flatMap(({ command, names }) => names.map(one => word(`${command} ${one}`)));
