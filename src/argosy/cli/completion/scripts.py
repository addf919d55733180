"""The scripts that the shells load."""

from __future__ import annotations

BASH = r"""# bash completion for argosy; load it by: source <(argosy completion bash)
_argosy_complete() {
    local line word
    # The words as typed: bash splits at ':' and '=', argosy must not.
    local cur="${COMP_LINE:0:$COMP_POINT}"
    local -a words
    read -r -a words <<< "$cur"
    [[ "$cur" =~ [[:space:]]$ ]] && words+=("")
    local last="${words[-1]}"
    local cut="${last%"${COMP_WORDS[COMP_CWORD]}"}"
    COMPREPLY=()
    while IFS= read -r line; do
        word="${line%%$'\t'*}"
        if [[ "$word" == ":files" ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
            continue
        fi
        [[ "$word" == *: || "$word" == *= ]] && compopt -o nospace 2>/dev/null
        COMPREPLY+=("${word#"$cut"}")
    done < <(argosy __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _argosy_complete argosy
"""

ZSH = r"""#compdef argosy
# zsh completion for argosy; load it by: source <(argosy completion zsh)
_argosy() {
    local line word about
    local -a found
    while IFS= read -r line; do
        word="${line%%$'\t'*}"
        about="${line#*$'\t'}"
        if [[ "$word" == ":files" ]]; then
            _files
        else
            found+=("${word//:/\\:}:$about")
        fi
    done < <(argosy __complete "${(@)words[2,$CURRENT]}" 2>/dev/null)
    (( $#found )) && _describe 'argosy' found
}
compdef _argosy argosy
"""

FISH = r"""# fish completion for argosy; load it by: argosy completion fish | source
function __argosy_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (argosy __complete $words[2..-1] 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c argosy -f -a '(__argosy_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
