"""`linkerd-smi completion`: scripts for shells, for `linkerd-smi` and for `linkerd smi`."""

from __future__ import annotations

import click

from reactor.cli.goflags import GoCommand

_PROGRAM = "linkerd-smi"
_VARIABLE = "_LINKERD_SMI_COMPLETE"
_FUNCTION = "_linkerd_smi_completion"
"""What click calls its function for this program."""

# Whoever completes `linkerd` itself goes on doing so for all words but those after `linkerd smi`.
_LINKERD_BASH = r"""
_linkerd_smi_before="$(complete -p linkerd 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')"
if [[ $_linkerd_smi_before == _linkerd_smi_of_linkerd ]]; then
    _linkerd_smi_before=$_linkerd_smi_inner
fi
_linkerd_smi_inner=$_linkerd_smi_before
_linkerd_smi_of_linkerd() {
    if (( COMP_CWORD > 1 )) && [[ ${COMP_WORDS[1]} == smi ]]; then
        local -a _linkerd_smi_words=(linkerd-smi "${COMP_WORDS[@]:2}")
        local _linkerd_smi_word=$((COMP_CWORD - 1))
        local -a COMP_WORDS=("${_linkerd_smi_words[@]}")
        local COMP_CWORD=$_linkerd_smi_word
        _linkerd_smi_completion linkerd-smi
    elif [[ -n $_linkerd_smi_inner ]]; then
        "$_linkerd_smi_inner" "$@"
    fi
}
complete -o default -o nosort -F _linkerd_smi_of_linkerd linkerd
"""
_LINKERD_ZSH = r"""
if [[ $zsh_eval_context[-1] != loadautofunc ]]; then
    if [[ ${_comps[linkerd]} != _linkerd_smi_of_linkerd ]]; then
        _linkerd_smi_inner=${_comps[linkerd]}
    fi
    _linkerd_smi_of_linkerd() {
        if (( CURRENT > 2 )) && [[ ${words[2]} == smi ]]; then
            shift words
            words[1]=linkerd-smi
            (( CURRENT-- ))
            _linkerd_smi_completion
        elif [[ -n $_linkerd_smi_inner ]]; then
            $_linkerd_smi_inner "$@"
        fi
    }
    compdef _linkerd_smi_of_linkerd linkerd
fi
"""
_LINKERD_FISH = r"""
function _linkerd_smi_of_linkerd
    set -l line (commandline -cp | string replace -r '^\s*linkerd\s+smi(?=\s)' linkerd-smi)
    set -l response (env _LINKERD_SMI_COMPLETE=fish_complete COMP_WORDS="$line" \
        COMP_CWORD=(commandline -t) linkerd-smi)
    for completion in $response
        set -l metadata (string split "," $completion)
        if test $metadata[1] = dir
            __fish_complete_directories $metadata[2]
        else if test $metadata[1] = file
            __fish_complete_path $metadata[2]
        else if test $metadata[1] = plain
            echo $metadata[2]
        end
    end
end
function _linkerd_smi_follows
    string match -qr '^\s*linkerd\s+smi\s' -- (commandline -cp)
end
complete --command linkerd --condition _linkerd_smi_follows --no-files \
    --arguments "(_linkerd_smi_of_linkerd)"
"""
_LINKERD = {"bash": _LINKERD_BASH, "zsh": _LINKERD_ZSH, "fish": _LINKERD_FISH}


@click.command(cls=GoCommand)
@click.argument("shell", type=click.Choice(sorted(_LINKERD)))
def completion(shell: str) -> None:
    """Print a script that completes `linkerd-smi` and `linkerd smi` in your shell.

    \b
    bash:  source <(linkerd-smi completion bash)      in ~/.bashrc
    zsh:   source <(linkerd-smi completion zsh)       in ~/.zshrc, after compinit
    fish:  linkerd-smi completion fish | source       in ~/.config/fish/config.fish

    Load it after the completion of `linkerd` itself, which it leaves as it is. The shell asks
    linkerd-smi at each Tab, so the script need not be made anew after an upgrade.
    """
    from click.shell_completion import get_completion_class

    from reactor.cli.extension import smi

    maker = get_completion_class(shell)
    assert maker is not None, shell
    click.echo(maker(smi, {}, _PROGRAM, _VARIABLE).source() + _LINKERD[shell], nl=False)
