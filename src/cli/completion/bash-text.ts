/** What of the script for bash is the same whatever commands there are. */

/** How a word is offered, and how readline's parts are put together. */
export const OFFERING = `\
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
`;

/** Reads the line up to the cursor, and offers what may stand there. */
export const READING = `\
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
