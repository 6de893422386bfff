"""The command `modelreach`, and `python -m modelreach`."""

import gc
import os


def main() -> None:
    """Run the program."""
    # What it loads lives until its end, and is no garbage: see `cli.main`.
    gc.set_threshold(100_000, 50, 50)
    from modelreach.late import put_off

    put_off("inspect", "ipaddress", "textwrap")
    put_off("msgspec.inspect", "msgspec.toml", "msgspec.yaml")
    if os.name == "posix":
        # All that `uuid` asks for as it is imported, for which regular expressions are compiled.
        put_off(platform={"system": lambda: os.uname().sysname})
    from modelreach.cli import main as start

    start()


if __name__ == "__main__":
    main()
