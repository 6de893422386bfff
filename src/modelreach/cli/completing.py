"""What a shell is offered to complete a command line with.

Click offers nothing where a parameter is any text, and tells the shell so: without what is here
nobody who has installed the completion could complete the name of a file.
https://click.palletsprojects.com/en/stable/shell-completion/
"""

from __future__ import annotations

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)


class _Files(ShellComplete):
    """Offers files where there is nothing else."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        found = super().get_completions(args, incomplete)
        if found or not args or incomplete.startswith("-"):
            return found
        return [CompletionItem(incomplete, type="file")]


class _Bash(_Files, BashComplete):
    pass


class _Zsh(_Files, ZshComplete):
    pass


class _Fish(_Files, FishComplete):
    pass


def register() -> None:
    """Let click complete by what is here, for a run that a shell asks."""
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)
