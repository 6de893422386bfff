"""Wildcards, tried letter by letter."""

from __future__ import annotations


def action_matches(pattern: str, action: str) -> bool:
    """Does an action pattern match: `*` stands for anything, letters count without case?"""
    return _matches(pattern.lower(), action.lower(), any_one="")


def text_matches(pattern: str, text: str) -> bool:
    """Does a `StringLike` pattern match: with `*`, `?`, and a backslash before either?"""
    return _matches(pattern, text, any_one="?")


def _matches(pattern: str, text: str, any_one: str) -> bool:
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if any_one and first == "\\" and rest[:1] in ("*", "?", "\\"):
        return bool(text) and text[0] == rest[0] and _matches(rest[1:], text[1:], any_one)
    if first == "*":
        return any(_matches(rest, text[place:], any_one) for place in range(len(text) + 1))
    if not text:
        return False
    return (first == any_one or first == text[0]) and _matches(rest, text[1:], any_one)
