"""What is shown on a terminal."""

from modelreach.visible import visible as visible


def counted(count: int, one: str, many: str = "") -> str:
    """Give a number of things in words: `1 audit`, `2 audits`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
