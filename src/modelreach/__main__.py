"""The command `modelreach`, and `python -m modelreach`."""

import gc
import os
import sys


def main() -> None:
    """Run the program."""
    # What it loads lives until its end, and is no garbage: see `cli.main`.
    gc.set_threshold(100_000, 50, 50)
    from modelreach.late import called_late, put_off

    put_off("inspect", "ipaddress", "textwrap")
    put_off("msgspec.inspect", "msgspec.toml", "msgspec.yaml")
    # Regular expressions for the plurals of languages; click translates help and errors.
    put_off(gettext=called_late("gettext", "gettext", "ngettext"))
    if os.name == "posix" and sys.implementation.name == "cpython":
        # All that uuid and zstandard ask for as they are imported; it compiles many, too.
        said = {"system": lambda: os.uname().sysname, "python_implementation": lambda: "CPython"}
        put_off(platform=said)
    from modelreach.cli import main as start

    start()


if __name__ == "__main__":
    main()
