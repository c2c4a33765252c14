import { shellWord } from '../../model/shell.ts';
import type { Words } from '../tree/words.ts';
import { below, type Flag, type Given, lastWord, MADE, type Outline, type Shown } from './shape.ts';

/** The script for zsh: it is put where zsh looks for functions, or read by it. */
export const zshScript = (outline: Outline): string =>
  [
    `#compdef hnet hnet-assign\n${MADE}\n`,
    ASKING,
    ...outline.commands.map(one => (one.isParent ? parentOf(one, outline) : functionOf(one))),
    mainFunction(outline),
  ].join('\n');

/** Asks hnet itself what may stand in a place. */
const ASKING = `\
_hnet_ask() {
  local -a found offers before=($line)
  local entry
  # The word that is being typed is one of them.
  [[ -n $PREFIX && $before[-1] == $words[CURRENT] ]] && before[-1]=()
  found=("\${(@f)$(_call_program -p hnet-$1 hnet complete -- $1 \${(qq)\${(Q)PREFIX}} \${(qq)\${(@Q)before}} 2>/dev/null)}")
  for entry in $found; do
    offers+=("\${\${entry%%$'\\t'*}//:/\\\\:}:\${entry#*$'\\t'}")
  done
  (( $#offers )) && _describe -V -t hnet-$1 $2 offers
}
`;

/** What zsh calls; where it has read the script as a function, that is called at once. */
const mainFunction = (outline: Outline): string => `\
_hnet() {
  local curcontext="$curcontext" state state_descr line
  local -A opt_args
  local -a commands
  if [[ $service == hnet-assign ]]; then
    _hnet_assign
    return
  fi
${dispatch('_hnet', outline.flags, below(outline))}
}

if [[ $funcstack[1] == _hnet ]]; then
  _hnet "$@"
else
  compdef _hnet hnet hnet-assign
fi
`;

/** One of some commands, then what that takes. */
const dispatch = (own: string, flags: readonly Flag[], commands: readonly Shown[]): string =>
  `  _arguments -C -S ${flags.map(specOf).join(' ')} '1: :->command' '*:: :->arguments' && return 0
  case $state in
    (command)
      commands=(
${commands.map(one => `        ${shellWord(`${lastWord(one)}:${one.summary}`)}`).join('\n')}
      )
      _describe -V -t commands command commands
      ;;
    (arguments)
      curcontext="\${curcontext%:*:*}:${own.slice(1)}-$words[1]:"
      (( $+functions[${own}_$words[1]] )) && ${own}_$words[1]
      ;;
  esac`;

const functionName = ({ path }: Shown): string => ['_hnet', ...path].join('_');

const parentOf = (one: Shown, outline: Outline): string => `${functionName(one)}() {
${dispatch(functionName(one), one.flags, below(outline, one.path))}
}
`;

const functionOf = (one: Shown): string => `${functionName(one)}() {
  _arguments -S ${[...one.flags.map(specOf), ...one.places.map(placeOf)].map(spec => `\\\n    ${spec}`).join(' ')}
}
`;

const specOf = ({ names, meaning, value, repeats }: Flag): string => {
  const tail = `[${escaped(meaning)}]${value === undefined ? '' : actionOf(value)}`;
  return names
    .map(name => shellWord(`${repeats ? '*' : ''}${name}${value === undefined ? '' : '='}${tail}`))
    .join(' ');
};

const placeOf = (place: Given, at: number): string =>
  shellWord(`${place.repeats ? '*' : at + 1}${actionOf(place)}`);

const actionOf = ({ name, words }: Given): string => `:${name}:${action(name, words)}`;

function action(name: string, words: Words): string {
  if (words === 'files') return '_files';
  // A space alone offers nothing.
  if (!('ask' in words) && words.length === 0) return ' ';
  return 'ask' in words ? ` _hnet_ask ${words.ask} ${name}` : `(${words.join(' ')})`;
}

const escaped = (text: string): string => text.replaceAll(/[[\]\\:]/g, '\\$&');
