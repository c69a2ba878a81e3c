_spb_offer() {
    case $1 in
        FILE)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$2")
            ;;
        =*) mapfile -t COMPREPLY < <(compgen -W "${1#=}" -- "$2") ;;
    esac
}
_spb() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        _spb_offer "=$(_spb_words spb)" "$word"
        return
    fi
    local wanted
    wanted=$(_spb_argument "$command" "$before")
    if [[ $before == -* && -n $wanted ]]; then
        _spb_offer "$wanted" "$word"
    elif [[ $word == -* ]]; then
        _spb_offer "=$(_spb_words "$command")" "$word"
    else
        _spb_offer "$(_spb_argument "$command" "")" "$word"
    fi
}
complete -F _spb spb
