import { shellWord } from '../../model/shell.ts';
import type { Words } from '../tree/words.ts';
import { below, type Flag, lastWord, MADE, nameOf, type Outline, type Place, type Shown } from './shape.ts';

/** The script for bash 4.4 and newer. It needs nothing of bash-completion's, which loads it. */
export const bashScript = (outline: Outline): string => {
  const { flags, commands } = outline;
  return `# bash completion for hnet
${MADE}

_hnet_ask() {
  local word meaning
  while IFS=$'\\t' read -r word meaning; do
    _hnet_offer "$word" "$meaning"
  done < <(hnet complete -- "$1" "$current" "\${given[@]}" 2>/dev/null)
}

_hnet_words() {
  local word
  for word; do _hnet_offer "$word" ''; done
}

_hnet_files() {
  local file
  compopt -o filenames 2>/dev/null
  while IFS= read -r file; do _hnet_reply "$file"; done < <(compgen -f -- "$current")
}

# Within quotes the shell takes a word as it is.
_hnet_offer() {
  [[ $1 == "$current"* ]] || return 0
  meanings+=("$2")
  if [[ -n $quoted ]]; then _hnet_reply "$1"; else _hnet_reply "$(printf %q "$1")"; fi
}

# Readline replaces only what stands after the last colon or equals sign.
_hnet_reply() {
  local reply=$lead$1
  COMPREPLY+=("\${reply#"$cut"}")
}

# Puts words together that readline has parted at colons and equals signs, up to the current one.
_hnet_join() {
  local line=$COMP_LINE word space i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    space=\${line%%[![:space:]]*}
    line=\${line#"$space"}
    line=\${line#"$word"}
    if ((i == 0)) || [[ -n $space ]] || ((\${#words[@]} == 0)); then words+=("$word"); else words[-1]+=$word; fi
  done
}

_hnet_value() {
  case $1 in
${cases(commands.flatMap(optionCases))}
${cases(flags.flatMap(flag => caseOf('', flag)))}
    *) return 1 ;;
  esac
}

_hnet_flags() {
  case $command in
${cases([['', namesOf(flags)] as const, ...commands.map(one => [nameOf(one), namesOf(one.flags)] as const)].map(([name, names]) => [shellWord(name), `_hnet_words ${names}`]))}
  esac
}

_hnet_argument() {
  case "$command \${#given[@]}" in
    ' 0') _hnet_words ${below(outline).map(lastWord).join(' ')} ;;
${cases(commands.filter(one => one.isParent).map((one): Case => [`${shellWord(`${nameOf(one)} 0`)}`, `_hnet_words ${below(outline, one.path).map(lastWord).join(' ')}`]))}
${cases(commands.flatMap(placeCases))}
  esac
}

# What takes a value, for the command so far.
_hnet_takes() {
  case "$command $1" in
    ${takers({ flags, commands })}) return 0 ;;
    *) return 1 ;;
  esac
}

_hnet_has_commands() {
  case $command in
    ${["''", ...commands.filter(one => one.isParent).map(one => shellWord(nameOf(one)))].join(' | ')}) return 0 ;;
    *) return 1 ;;
  esac
}

_hnet() {
  local -a words=() given=() meanings=()
  local command='' option='' plain='' lead='' cut='' quoted='' current word i
  COMPREPLY=()
  _hnet_join
  [[ \${words[0]##*/} == hnet-assign ]] && command=assign
  current=\${words[-1]}
  for word in "\${words[@]:1:\${#words[@]}-2}"; do
    word=\${word//[\\'\\"\\\\]/}
    if [[ -n $option ]]; then
      option=''
    elif [[ -z $plain && $word == -- ]]; then
      plain=yes
    elif [[ -z $plain && $word == -* ]]; then
      if _hnet_takes "$word"; then option=$word; fi
    elif [[ -z $command ]]; then
      command=$word
    elif _hnet_has_commands; then
      command+=" $word"
    else
      given+=("$word")
    fi
  done
  [[ $current == [\\'\\"]* ]] && quoted=yes
  current=\${current//[\\'\\"\\\\]/}
  # Up to the last sign at which readline parts words.
  [[ $COMP_WORDBREAKS == *:* && $current == *:* ]] && cut=\${current%"\${current##*:}"}
  [[ $COMP_WORDBREAKS == *=* && $current == *=* && -z $cut ]] && cut=\${current%%=*}=
  if [[ -z $option && -z $plain && $current == --*=* ]] && _hnet_takes "\${current%%=*}"; then
    option=\${current%%=*} lead=\${current%%=*}= current=\${current#*=}
  fi
  if [[ -n $option ]]; then
    _hnet_value "$command $option"
  elif [[ -z $plain && $current == -* ]]; then
    _hnet_flags
  else
    _hnet_argument
  fi
  # Readline only lists them: it won't put a meaning into the line.
  if [[ $COMP_TYPE == 63 && \${#COMPREPLY[@]} -gt 1 && \${#meanings[@]} -eq \${#COMPREPLY[@]} ]]; then
    for i in "\${!COMPREPLY[@]}"; do
      [[ -n \${meanings[i]} ]] && COMPREPLY[i]+="  (\${meanings[i]})"
    done
  fi
  return 0
}

complete -o nosort -F _hnet hnet hnet-assign
`;
};

type Case = readonly [pattern: string, command: string];

const cases = (all: readonly Case[]): string =>
  all.map(([pattern, command]) => `    ${pattern}) ${command} ;;`).join('\n');

const optionCases = (one: Shown): Case[] => one.flags.flatMap(flag => caseOf(nameOf(one), flag));

const caseOf = (command: string, { names, value }: Flag): Case[] =>
  value === undefined ? [] : [[patterns(command, names), offer(value.words)]];

const patterns = (command: string, names: readonly string[]): string =>
  names.map(name => shellWord(`${command} ${name}`)).join(' | ');

const placeCases = (one: Shown): Case[] =>
  one.places.map(({ words, repeats }: Place, at) => [`'${nameOf(one)} '${repeats ? '*' : at}`, offer(words)]);

const takers = ({ flags, commands }: Outline): string =>
  [{ name: '', flags }, ...commands.map(one => ({ name: nameOf(one), flags: one.flags }))]
    .flatMap(({ name, flags: own }) => own.filter(takesValue).map(({ names }) => patterns(name, names)))
    .join(' | ');

const takesValue = ({ value }: Flag): boolean => value !== undefined;

const namesOf = (flags: readonly Flag[]): string => flags.flatMap(({ names }) => names).join(' ');

function offer(words: Words): string {
  if (words === 'files') return '_hnet_files';
  return 'ask' in words ? `_hnet_ask ${words.ask}` : `_hnet_words ${words.map(shellWord).join(' ')}`;
}
