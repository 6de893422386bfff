"""The command `modelreach`, and `python -m modelreach`."""

import gc


def main() -> None:
    """Run the program."""
    # What it loads lives until its end, and is no garbage: see `cli.main`.
    gc.set_threshold(100_000, 50, 50)
    from modelreach.late import put_off

    put_off("inspect", "ipaddress", "textwrap")
    from modelreach.cli import main as start

    start()


if __name__ == "__main__":
    main()
