# Presses TAB behind each line in an interactive bash or zsh, and prints what that shows, and what the line is afterwards.
#   zsh -f press-tab.zsh SHELL SETUP LINE...
# SETUP is what the shell reads first. What is shown of a line ends with "<line>…</line>".
zmodload zsh/zpty
shell=$1 setup=$2
shift 2
case $shell in
  bash) zpty inner bash --noprofile --norc -i ;;
  zsh) zpty inner zsh -f -i ;;
esac
tell() { zpty -w inner "$1"; }
tell "stty -echo columns 300 rows 100; PS1= PS2= TERM=vt100"
tell $setup
case $shell in
  bash)
    tell "bind 'set show-all-if-ambiguous on' 'set bell-style none' 'set page-completions off'"
    tell $'bind -x \'"\\C-t": printf "<line>%s</line>" "$READLINE_LINE"; READLINE_LINE=\''
    ;;
  zsh)
    tell 'finish() { print -r -- "<line>$BUFFER</line>"; zle kill-whole-line; }; zle -N finish'
    tell 'bindkey "^T" finish "^I" complete-word; setopt no_beep no_list_ambiguous'
    ;;
esac
# With quotes, lest it find what was sent.
tell 'printf re""ady'
zpty -r inner REPLY '*ready*'
for line; do
  zpty -w -n inner "$line"$'\t\x14'
  zpty -r inner REPLY '*</line>*'
  print -r -- "$REPLY"
done
zpty -d inner
