"""`modelreach completion`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion", epilog='Example: eval "$(modelreach completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of a shell, to be evaluated by it."""
    from modelreach.cli import root

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for `{shell}`")
    click.echo(found(root, {}, "modelreach", "_MODELREACH_COMPLETE").source())
