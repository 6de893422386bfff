"""What a subject's roles let it do, symbolically: rules put into the algebra."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from msgspec.structs import replace

from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of
from modelreach.policy.extent import ALL, Extent
from modelreach.policy.glob import escape
from modelreach.policy.kubernetes.decide import ANONYMOUS, named
from modelreach.policy.kubernetes.estate import Estate, Granted
from modelreach.policy.kubernetes.names import CORE, VERBS, Action, cluster_of
from modelreach.policy.kubernetes.rules import SELECTED, PolicyRule, unnamed
from modelreach.policy.kubernetes.streams import STREAMS
from modelreach.policy.permissions import Box, PermissionSet
from modelreach.snapshot import Principal

_BY_GET = tuple(Action(CORE, stream, "get") for stream in STREAMS)
#: Verbs that stand for a wildcard where names restrict it: those of objects, and the special ones.
_SPECIAL = ("impersonate", "bind", "escalate", "use", "approve", "sign", "attest")


def held(estate: Estate, principal: Principal) -> PermissionSet:
    """Give all that a principal's roles let it do."""
    cluster = cluster_of(principal.id)
    if estate.master(principal):
        return PermissionSet.of([Box(ALL, Extent.globs([f"{escape(cluster)}/*"]))])
    subjects = estate.subjects(principal)
    alone = estate.on_get_alone(cluster)
    boxes = [box for granted in estate.granted(subjects) for box in _boxes(granted, TRUE, alone)]
    for granted in estate.granted(estate.anonymous(cluster)):
        boxes += _boxes(granted, ANONYMOUS, alone)
    for binding in estate.unknown_roles(subjects):
        place = Extent.globs([f"{escape(binding.target)}/*"])
        unknown = Atom(AtomKind.GAP, f"the rules of {binding.role}")
        boxes.append(Box(ALL, place, unknown, exact=False))
    return PermissionSet.of(boxes)


def _boxes(granted: Granted, when: Expr, alone: Expr) -> Iterator[Box]:
    """`alone`: when streams are opened to who may get them and not create them. That another rule
    may let it create them is told by that rule, which opens as much."""
    rule, because, when = granted.rule, granted.references, all_of((when, granted.when))
    target = escape(granted.binding.target)
    if not rule.resources:
        return
    if not rule.names:
        closed = [f"{target}/{escape(name)}/*" for name in rule.outside]
        actions, place = _actions(rule), Extent.globs([f"{target}/*"], outside=closed)
        gets = Extent.globs([_glob(one) for one in _BY_GET if _only_gets(rule, one)])
        yield Box(actions - gets, place, when, because)
        if not (opening := actions & gets).is_empty() and alone != FALSE:
            yield Box(opening, place, all_of((when, alone)), because)
        return
    for action, condition in _named_actions(rule, alone):
        globs = [f"{target}/{_kind(action)}/{escape(name)}" for name in rule.names]
        if granted.binding.target == cluster_of(granted.binding.target):
            globs = [f"{target}/*/{_kind(action)}/{escape(name)}" for name in rule.names]
        yield Box(
            Extent.globs([_glob(action).lower()]), Extent.globs(globs), when & condition, because
        )


def _actions(rule: PolicyRule) -> Extent:
    parts = (Action(*part) for part in product(rule.groups, rule.resources, rule.verbs))
    globs = [_glob(action).lower() for action in parts]
    if rule.below:
        globs += [_below(glob) for glob in globs if ":*:" not in glob]
    return Extent.globs(globs, outside=[glob for name in rule.but for glob in _meant(name)])


def _below(glob: str) -> str:
    """Give what is about the parts of what a glob is about."""
    head, _, verb = glob.rpartition(":")
    return f"{head}/*:{verb}"


def _meant(name: str) -> tuple[str, str]:
    """Give what an exception means: something, and its parts."""
    group, _, resource = name.lower().partition(":")
    about = f"{escape(group)}:{_part(resource)}"
    return f"{about}:*", f"{about}/*:*"


def _glob(action: Action) -> str:
    verb = action.verb.replace(":", "!")
    return ":".join((_part(action.group), _resource(action.resource), _part(verb)))


def _part(text: str) -> str:
    return "*" if text == "*" else escape(text)


def _resource(text: str) -> str:
    if text.startswith("*/"):
        return "*/" + escape(text[2:])
    return _part(text)


def _kind(action: Action) -> str:
    resource = action.resource.partition("/")[0]
    if resource == "*":
        return "*"
    if action.group == "*":
        return f"{escape(resource)}*"
    return escape(resource if action.group == CORE else f"{resource}.{action.group}")


def _only_gets(rule: PolicyRule, stream: Action) -> bool:
    return rule.about(stream) and not rule.about(replace(stream, verb="create"))


def _named_actions(rule: PolicyRule, alone: Expr) -> Iterator[tuple[Action, Expr]]:
    """Each action of a rule with names and what it hangs on, but for those that name nothing."""
    verbs = dict.fromkeys(
        verb
        for given in rule.verbs
        for verb in ((*VERBS, *_SPECIAL) if given == "*" else (given,))
    )
    for group, resource, verb in product(rule.groups, rule.resources, verbs):
        action = Action(group, resource, verb)
        if unnamed(action):
            continue
        if action in _BY_GET and _only_gets(rule, action):
            if alone != FALSE:
                yield action, alone
        else:
            yield action, named(action, rule.names) if verb in SELECTED else TRUE
