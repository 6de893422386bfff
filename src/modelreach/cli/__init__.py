"""The command line: argv, files, exit codes. Each command loads its own part of the program.

Exit codes: 0 gate passed, 1 gate failed, 2 wrong call or unusable input, 3 unknown because the
collection was incomplete, 4 nothing could be collected, 70 a bug, 75 the state of audits cannot be
used now, 130/143 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from io import TextIOWrapper
from types import FrameType
from typing import Any, NoReturn

import click

from modelreach import __version__
from modelreach.cli.plain import Group, flag
from modelreach.model import ModelreachError

#: What one does -> names of commands, each with what it does. The module of a command is
#: `modelreach.cli.NAME`, loaded when it runs.
PARTS = {
    "Begin": {
        "demo": "Show a built-in example; needs no cloud account.",
        "permissions": "Print the least privilege that `collect` needs.",
        "collect": "Read an estate, read-only, and write a snapshot of it.",
        "convert": "Write a snapshot in another form; list what a store holds.",
        "discover": "List the model deployments in a snapshot, and draft manifests.",
        "manifest": "Draft a deployment manifest from the files that you have.",
    },
    "Look": {
        "scan": "Show what one release, or one principal, reaches.",
        "diff": "Show what a new release reaches on top of the old one.",
        "explain": "Show the witness of a finding or a resource, hop by hop.",
        "can": "Ask whether a principal may do something, and why.",
        "chokepoints": "Show what much of the reach hangs on, and what to revoke.",
        "survey": "Give what each of many releases reaches, in numbers.",
        "report": "Write the difference, or a radius, in any number of formats.",
        "export": "Turn a saved diff or radius into another format.",
    },
    "Decide": {
        "decide": "Decide whether an update may be adopted, and record why.",
        "ticket": "Write the change ticket: impact, demands, how to undo it.",
        "evidence": "Show evaluation reports, and how two releases compare.",
        "waive": "Accept a finding for a time, in modelreach-waivers.yaml.",
        "verify": "Check a decision record: signature, files, every witness.",
    },
    "Keep watch": {
        "audit": "Audit deployments by a timer, against what was approved.",
        "approve": "Accept what an audit found as the baseline of a deployment.",
        "history": "List, show, compare, check and prune what audits have kept.",
        "watch": "Audit again and again, in the foreground.",
        "serve": "Show what audits have kept in the browser, for a team.",
    },
    "Look up": {
        "rules": "List the finding rules, or show one.",
        "schema": "Print the JSON Schema of a file format.",
        "completion": "Print the completion script of a shell.",
    },
}
COMMANDS = {name: does for part in PARTS.values() for name, does in part.items()}


class _Commands(Group):
    """Commands by name; `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"modelreach.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, COMMANDS))
        for title, commands in PARTS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(f"{name:<{widest}}", does) for name, does in commands.items()]
                )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        unknown = args and args[0] not in COMMANDS and not args[0].startswith("-")
        if unknown and not ctx.resilient_parsing:  # as it is while a shell completes
            raise click.UsageError(_no_such(args[0]), ctx)
        return super().resolve_command(ctx, args)

    # Of a pipe that nobody reads click would make exit code 1, which is that of a failed gate.

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _read():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> object:
        with _read():
            return super().invoke(ctx)


class _UnreadError(Exception):
    """Nobody reads what is written any more."""


@contextmanager
def _read() -> Generator[None]:
    try:
        yield
    except BrokenPipeError:
        raise _UnreadError from None


def _no_such(name: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    return f"no such command `{name}`" + (f"; did you mean `{near[0]}`?" if near else "")


def _version(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(f"modelreach, version {__version__}", color=context.color)
        context.exit()


@click.command(
    cls=_Commands,
    params=[flag("--version", callback=_version, help="Show the version and exit.")],
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "MODELREACH"},
    epilog="Start with: modelreach demo",
)
def root() -> None:
    """What an AI model can reach in your clouds, and what its next release would reach on top."""


def main() -> None:
    """Run the program; the only place where exceptions become exit codes."""
    signal.signal(signal.SIGTERM, _terminated)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    # A run makes much that lives until its end, and little garbage: looking for it over and over
    # takes a fifth of the time.
    gc.set_threshold(100_000, 50, 50)
    _leave(run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End the process. What is left in memory goes with it: looking through all of it for garbage,
    twice, and giving it back piece by piece is a tenth of a short run.

    The interpreter ends as ever where somebody waits for that: threads, functions that were
    registered for it, or a program within which this one runs."""
    gc.freeze()
    waiting: Callable[[], int] | None = getattr(atexit, "_ncallbacks", None)
    within = sys.stdout is not sys.__stdout__
    if waiting and not waiting() and not within and threading.active_count() == 1:
        with suppress(OSError, ValueError):
            for stream in (sys.stdout, sys.stderr):
                if stream:  # there is none where it was closed before the start
                    stream.flush()
            os._exit(code)
    sys.exit(code)


#: What a full or broken disk answers who writes to it.
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
#: What a machine answers of a place that cannot be used as it was named: no bug.
_UNUSABLE = _UNWRITABLE | {
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST),
    *(errno.ENAMETOOLONG, errno.ELOOP),
}


def _terminated(_signum: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def run(argv: list[str]) -> int:
    """Run one command line and give its exit code. Errors go to stderr."""
    if "_MODELREACH_COMPLETE" in os.environ:
        from modelreach.cli.completing import register

        register()
    try:
        code = root.main(args=argv, prog_name="modelreach", standalone_mode=False)
    except ModelreachError as error:
        return _say(error.message, error.hint, error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.BadParameter as error:
        return _say(*_unusable(error), 2)
    except click.UsageError as error:
        usage = f"see `{error.ctx.command_path} --help`" if error.ctx else ""
        return _say(_lowered(error.format_message()), usage, 2)
    except click.ClickException as error:
        return _say(_lowered(error.format_message()), "", 2)
    except (click.Abort, KeyboardInterrupt):
        return 130
    except _UnreadError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        return _refused(error)
    except MemoryError:
        return _say(
            "there is not enough memory to write out what is reached",
            "`modelreach survey` counts what a release reaches in a fraction of it",
            2,
        )
    except Exception as error:  # the last resort: a bug is 70, never 1
        return _crashed(error)
    return code if isinstance(code, int) else 0


def _unusable(error: click.BadParameter) -> tuple[str, str]:
    """Give what is wrong with a value, and what it may be: the words of a choice, as of a file."""
    value, among, _ = error.message.partition(" is not one of ")
    missing = isinstance(error, click.MissingParameter)
    if not ((among or missing) and error.param and isinstance(error.param.type, click.Choice)):
        usage = f"see `{error.ctx.command_path} --help`" if error.ctx else ""
        return _lowered(error.format_message()), usage
    import difflib

    words = [str(word) for word in error.param.type.choices]
    listed = "one of " + ", ".join(f"`{word}`" for word in words)
    place = max(error.param.opts, key=len)
    name = place if place.startswith("-") else place.upper()
    if missing:
        return f"{name} is missing", listed
    value = value[1:-1]
    near = difflib.get_close_matches(value, words, n=1)
    return f"{name}: `{value}` is not known", f"did you mean `{near[0]}`?" if near else listed


def _say(message: str, hint: str, code: int) -> int:
    from modelreach.cli.terminal import visible

    click.echo(f"error: {visible(message)}", err=True)
    if hint:
        click.echo(f"hint:  {visible(hint)}", err=True)
    return code


def _refused(error: OSError) -> int:
    """Say what the machine refused, where it is a matter of the call and not of the program."""
    place: object = error.filename
    if error.errno in _UNUSABLE and isinstance(place, str | bytes):
        return _say(f"{os.fsdecode(place)}: {_lowered(error.strerror or '')}", "", 2)
    if error.errno in _UNWRITABLE and place is None:
        return _say(f"the output cannot be written ({error.strerror})", "", 2)
    return _crashed(error)


def _lowered(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(".")


def _crashed(error: Exception) -> int:
    """Write a report that holds the places in our code and nothing from the user's data."""
    import tempfile
    import traceback

    places = [
        f"{frame.filename}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    with tempfile.NamedTemporaryFile(
        "w", prefix="modelreach-crash-", suffix=".txt", delete=False, encoding="utf-8"
    ) as report:
        report.write(f"modelreach {__version__}, Python {sys.version}\n{type(error).__name__}\n")
        report.write("\n".join(places) + "\n")
    click.echo(f"error: internal error ({type(error).__name__}); this is a bug", err=True)
    click.echo(f"hint:  report it with {report.name}, which holds no data of yours", err=True)
    if os.environ.get("MODELREACH_TRACEBACK"):
        traceback.print_exception(error)
    return 70
