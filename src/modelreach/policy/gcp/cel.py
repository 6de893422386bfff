"""Conditions in CEL, three-valued: what is known of a request settles them, the rest stays open.

cel-python reads an expression and evaluates the parts of which everything is known; what combines
parts (`&&`, `||`, `!`, `?:`) is done here, so that a part that is not known becomes an atom
instead of an error. As in CEL, `true || error` is true and `false && error` is false.
https://docs.cloud.google.com/iam/docs/conditions-attribute-reference
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import msgspec

from modelreach.model import MissingExtra
from modelreach.policy.engine import INNER
from modelreach.policy.expr import (
    FALSE,
    TRUE,
    Atom,
    AtomKind,
    Expr,
    all_of,
    any_of,
    atoms,
    negate,
)
from modelreach.policy.gcp import cel_functions
from modelreach.policy.gcp.cel_functions import Tags

if TYPE_CHECKING:
    from lark import Token, Tree

    Node = Tree[Token]

#: IAM takes twelve logical operators at most; what is longer than this is no condition of IAM.
_LONGEST = 12_000
#: What asks twice for what decides it, again and again, says more than anybody can read.
_MOST_ATOMS = 2_000


class Surroundings(msgspec.Struct, frozen=True):
    """What is known of a request when a condition is evaluated.

    `names` are the spellings of `resource.name` (by project id or number), None when the thing is
    not known exactly; `prefix` is then what its name begins with. `type` and `service` are None
    where Google does not tell them to conditions, or where they are not known. `tags` is None when
    they were not read: `unread` says so. With `any_tags` it has whatever tag is asked for. `time`
    is RFC 3339, "" when not known. `fixed` are other attributes, by path.
    """

    names: tuple[str, ...] | None = None
    prefix: str = ""
    type: str | None = None
    service: str | None = None
    tags: Tags | None = None
    any_tags: bool = False
    unread: str = "tags"
    time: str = ""
    fixed: tuple[tuple[str, str], ...] = ()


@lru_cache(1 << 15)
def condition(text: str, known: Surroundings) -> Expr:
    """Give what must hold for a condition to be met; TRUE for none at all.

    What cannot be read is an atom that is not understood: it is neither met nor unmet.
    """
    if not text.strip():
        return TRUE
    tree = _parsed(text)
    if isinstance(tree, str):
        return _opaque(text, tree)
    try:
        return _Reader(text, known).expr(tree)
    except _TooMuchError:
        return _opaque(text, "it is too much to work out")
    except (RecursionError, ValueError, TypeError, KeyError) as error:
        return _opaque(text, f"{type(error).__name__} while it was evaluated")


def value_of(text: str, root: str, known: Mapping[str, str]) -> str | None:
    """Give the text that an expression comes to; None if it comes to none, or asks for more.
    What is known is all of `root`, with `INNER` between the names of what is in each other."""
    tree = _parsed(text)
    if isinstance(tree, str):
        return None
    from celpy.celtypes import MapType
    from celpy.evaluation import CELEvalError

    bound: dict[str, Any] = {root: MapType()}
    for name, value in known.items():
        _put(bound, [root, *name.split(INNER)], value)
    try:
        program = _environment().program(tree, functions=cel_functions.functions())
        value = program.evaluate(bound)
    except (CELEvalError, RecursionError, ValueError, TypeError, KeyError):
        return None
    return str(value) if isinstance(value, str) else None


@lru_cache(1 << 12)
def _parsed(text: str) -> Node | str:
    """Give the syntax tree, or why there is none."""
    if len(text) > _LONGEST:
        return f"it has {len(text)} characters"
    environment = _environment()
    from celpy.celparser import CELParseError

    try:
        return cast("Node", environment.compile(text))
    except CELParseError:
        return "it is not CEL"
    except (RecursionError, UnicodeError, ValueError) as error:
        return f"{type(error).__name__} while it was read"


@lru_cache(1)
def _environment() -> Any:
    try:
        import celpy
    except ImportError:
        raise MissingExtra("gcp", "reading conditions of Google Cloud") from None
    return celpy.Environment()


def _opaque(text: str, why: str) -> Atom:
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    shown = text if len(text) <= 200 else text[:200] + "…"
    return Atom(AtomKind.OPAQUE, f"condition {shown}", digest, (why,))


class _TooMuchError(Exception):
    """A condition comes to more than can be worked out."""


def _sized(found: Expr) -> Expr:
    """Give an expression back that is no burden. A choice stands in it twice, so that choices
    between choices double it each time."""
    if next(islice(atoms(found), _MOST_ATOMS, None), None) is not None:
        raise _TooMuchError
    return found


# --- what combines parts ---------------------------------------------------------------------


class _Reader:
    """Takes one expression apart."""

    __slots__ = ("_known", "_text")

    def __init__(self, text: str, known: Surroundings) -> None:
        self._text = text
        self._known = known

    def expr(self, node: Node) -> Expr:
        """Give what must hold for a boolean expression to be true."""
        name, parts = str(node.data), _parts(node)
        if name == "expr" and len(parts) == 3:
            choice, yes, no = (self.expr(part) for part in parts)
            return _sized(any_of((all_of((choice, yes)), all_of((negate(choice), no)))))
        if name == "conditionalor" and len(parts) == 2:
            return any_of(self.expr(part) for part in parts)
        if name == "conditionaland" and len(parts) == 2:
            return all_of(self.expr(part) for part in parts)
        if name == "unary" and len(parts) == 2 and parts[0].data == "unary_not":
            return negate(self.expr(parts[1]))
        if name in _WRAPPERS and len(parts) == 1:
            return self.expr(parts[0])
        return self._leaf(node)

    def _leaf(self, node: Node) -> Expr:
        """Settle a part that asks for something, or leave it open."""
        used = tuple(_used(node))
        if all(self._is_known(path) for path in used):
            return self._evaluated(node, used)
        return self._partly(node, used)

    def _is_known(self, path: _Path) -> bool:
        known = self._known
        match path.root, path.names:
            case "", ():
                return True
            case "resource", ("name",):
                return known.names is not None
            case "resource", ("type",):
                return known.type is not None
            case "resource", ("service",):
                return known.service is not None
            case "resource", ():
                by_tag = path.call in cel_functions.TAGS
                return by_tag and known.tags is not None and not known.any_tags
            case "request", ("time",):
                # What depends on the hour or the day holds now and again, whatever the time is.
                return bool(known.time) and path.call not in cel_functions.RECURRING
            case _:
                return path.dotted in dict(known.fixed)

    def _evaluated(self, node: Node, used: tuple[_Path, ...]) -> Expr:
        named = any(path.root == "resource" for path in used)
        names = self._known.names if named and self._known.names else ("",)
        answers = {self._answer(node, name) for name in names}
        if len(answers) == 1:
            return answers.pop()
        return Atom(AtomKind.CONTEXT, spelled(node))

    def _answer(self, node: Node, name: str) -> Expr:
        from celpy.celtypes import BoolType
        from celpy.evaluation import CELEvalError

        try:
            program = _environment().program(node, functions=cel_functions.functions())
            value = program.evaluate(_activation(self._known, name))
        except CELEvalError:
            return _opaque(self._text, f"`{spelled(node)}` cannot be evaluated")
        if not isinstance(value, bool | BoolType):
            return _opaque(self._text, f"`{spelled(node)}` is neither true nor false")
        return TRUE if value else FALSE

    def _partly(self, node: Node, used: tuple[_Path, ...]) -> Expr:
        for path in used:
            if path.root == "resource" and path.call in cel_functions.TAGS:
                if self._known.any_tags:
                    return TRUE
                return Atom(AtomKind.GAP, self._known.unread, spelled(node))
        test = _simple(node)
        if test is None:
            return Atom(AtomKind.CONTEXT, spelled(node))
        literal = _unquoted(test.constant)
        if test.path == "resource.name" and self._known.prefix and literal is not None:
            settled = _by_prefix(test.operator, literal, self._known.prefix)
            if settled is not None:
                return settled
        return test.atom


_WRAPPERS = frozenset(
    {
        "expr",
        "conditionalor",
        "conditionaland",
        "relation",
        "addition",
        "multiplication",
        "unary",
        "member",
        "primary",
        "paren_expr",
    }
)
_POSITIVE = {"!=": "==", ">": "<=", ">=": "<"}
_STARTS = "resource.name.startsWith("


def part_of_name(atom: Atom) -> str | None:
    """Give the beginning of a name that an open test asks for; None for any other test."""
    if atom.kind is not AtomKind.CONTEXT or not atom.key.startswith(_STARTS):
        return None
    return _unquoted(atom.key[len(_STARTS) : -1])


def _by_prefix(operator: str, literal: str, prefix: str) -> Expr | None:
    """Settle a test of a name of which only the beginning is known."""
    if operator == "startsWith":
        if prefix.startswith(literal):
            return TRUE
        return None if literal.startswith(prefix) else FALSE
    if operator in ("==", "!=") and not literal.startswith(prefix):
        return FALSE if operator == "==" else TRUE
    return None


def _activation(known: Surroundings, name: str) -> dict[str, Any]:
    from celpy import celtypes

    resource = cel_functions.Resource(
        {
            celtypes.StringType(key): celtypes.StringType(value)
            for key, value in (
                ("name", name),
                ("type", known.type or ""),
                ("service", known.service or ""),
            )
        }
    )
    resource.tags = known.tags
    found: dict[str, Any] = {"resource": resource}
    request: dict[Any, Any] = {}
    if known.time:
        request[celtypes.StringType("time")] = celtypes.TimestampType(known.time)
    tree: dict[str, Any] = {"request": celtypes.MapType(request)}
    for path, value in known.fixed:
        _put(tree, _steps(path), value)
    return found | tree


def _put(tree: dict[str, Any], path: list[str], value: str) -> None:
    from celpy import celtypes

    here: Any = tree
    for part in path[:-1]:
        here = here.setdefault(celtypes.StringType(part), celtypes.MapType())
    here[celtypes.StringType(path[-1])] = celtypes.StringType(value)


# --- what a part asks for --------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_STEP = re.compile(r"\['([^']*)'\]|\.?([^.\[]+)")


def at(root: str, *names: str) -> str:
    """Give a path as CEL writes it: `a.b`, and `a['b c']` where a name is none of CEL's."""
    steps = (f".{name}" if _NAME.match(name) else f"['{name}']" for name in names)
    return "".join((root, *steps))


def _steps(path: str) -> list[str]:
    """Give the names of a path that `at` wrote."""
    return [name or plain for name, plain in _STEP.findall(path)]


class _Path(msgspec.Struct, frozen=True):
    """Something that a part asks for: `resource.name`, or a call on it. An empty root is a
    constant; `call` is the function that is called on the path."""

    root: str
    names: tuple[str, ...] = ()
    call: str = ""

    @property
    def dotted(self) -> str:
        return at(self.root, *self.names)


def _parts(node: Node) -> list[Node]:
    return [cast("Node", child) for child in node.children if hasattr(child, "data")]


def _tokens(node: Node) -> list[str]:
    return [str(child) for child in node.children if not hasattr(child, "data")]


def _used(node: Node) -> Iterator[_Path]:
    """Give everything that a part asks for; paths at their longest."""
    path = _path(node)
    if path is not None:
        yield path
        return
    name, parts = str(node.data), _parts(node)
    if name == "member_dot_arg":
        receiver, call = _path(parts[0]), _tokens(node)[0]
        if receiver is None:
            yield from _used(parts[0])
        else:
            yield _Path(receiver.root, receiver.names, call)
        parts = parts[1:]
    elif name in ("ident", "dot_ident", "ident_arg", "dot_ident_arg"):
        function = _tokens(node)[0]
        if not name.endswith("_arg"):
            yield _Path(function)
        elif function not in cel_functions.PURE:
            yield _Path(f"{function}()")
    for part in parts:
        yield from _used(part)


def _path(node: Node) -> _Path | None:
    """Give `a.b.c` as a path; None for anything else."""
    name, parts = str(node.data), _parts(node)
    if name == "ident":
        return _Path(_tokens(node)[0])
    if name == "member_dot":
        inner = _path(parts[0])
        return _Path(inner.root, (*inner.names, _tokens(node)[0])) if inner else None
    if name == "member_index" and len(parts) == 2:
        inner, key = _path(parts[0]), _unquoted(spelled(parts[1]))
        return _Path(inner.root, (*inner.names, key)) if inner and key is not None else None
    if name in _WRAPPERS and len(parts) == 1:
        return _path(parts[0])
    return None


_RELATIONS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class _Test(msgspec.Struct, frozen=True):
    """A plain test: of an attribute, against a constant (as text)."""

    path: str
    operator: str
    constant: str

    @property
    def atom(self) -> Expr:
        """The test as something that is not known; of two that say the opposite, one."""
        operator = _POSITIVE.get(self.operator, self.operator)
        call = operator not in _FLIPPED
        text = (
            f"{self.path}.{operator}({self.constant})"
            if call
            else f"{self.path} {operator} {self.constant}"
        )
        atom = Atom(AtomKind.CONTEXT, text)
        return negate(atom) if self.operator in _POSITIVE else atom


def _simple(node: Node) -> _Test | None:
    """Give a test as attribute, operator and constant, where it is as plain as that."""
    name, parts = str(node.data), _parts(node)
    if name == "relation" and len(parts) == 2 and str(parts[0].data) in _RELATIONS:
        operator = _RELATIONS[str(parts[0].data)]
        left, right = _parts(parts[0])[0], parts[1]
        return _compared(left, operator, right) or _compared(right, _FLIPPED[operator], left)
    if name == "member_dot_arg" and len(parts) == 2:
        receiver, arguments = _path(parts[0]), _parts(parts[1])
        if receiver is not None and len(arguments) == 1 and _is_constant(arguments[0]):
            return _Test(receiver.dotted, _tokens(node)[0], spelled(arguments[0]))
    if name in _WRAPPERS and len(parts) == 1:
        return _simple(parts[0])
    return None


def _compared(left: Node, operator: str, right: Node) -> _Test | None:
    path = _path(left)
    return _Test(path.dotted, operator, spelled(right)) if path and _is_constant(right) else None


def _is_constant(node: Node) -> bool:
    return all(not path.root for path in _used(node))


def _unquoted(text: str) -> str | None:
    """Give the text of a plain string constant; None for what is none, or has escapes."""
    plain = len(text) >= 2 and text[0] in "'\"" and text[-1] == text[0]
    return None if not plain or "\\" in text or text[:3] in ("'''", '"""') else text[1:-1]


# --- as text ---------------------------------------------------------------------------------

_INFIX: Mapping[str, str] = {
    "conditionalor": "||",
    "conditionaland": "&&",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
    "relation_in": "in",
    **_RELATIONS,
}


def spelled(node: Node) -> str:
    """Give a part of an expression as text, spaced in one way."""
    name, parts, tokens = str(node.data), _parts(node), _tokens(node)
    inner = [spelled(part) for part in parts]
    match name:
        case "literal" | "ident":
            return tokens[0]
        case "member_dot":
            return f"{inner[0]}.{tokens[0]}"
        case "member_dot_arg":
            return f"{inner[0]}.{tokens[0]}({', '.join(inner[1:])})"
        case "ident_arg":
            return f"{tokens[0]}({', '.join(inner)})"
        case "member_index":
            return f"{inner[0]}[{inner[1]}]"
        case "list_lit":
            return f"[{', '.join(inner)}]"
        case "exprlist":
            return ", ".join(inner)
        case "paren_expr":
            return f"({inner[0]})"
        case "unary_not":
            return "!"
        case "unary_neg":
            return "-"
        case "expr" if len(inner) == 3:
            return f"{inner[0]} ? {inner[1]} : {inner[2]}"
        case "conditionalor" | "conditionaland" if len(inner) == 2:
            return f" {_INFIX[name]} ".join(inner)
        case _ if name in _INFIX and name not in ("conditionalor", "conditionaland"):
            return f"{inner[0]} {_INFIX[name]}"
        case "unary":
            return "".join(inner)
        case _:
            return " ".join([*tokens, *inner])
