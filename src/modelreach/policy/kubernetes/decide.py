"""May a subject make a request: what RBAC says, and what could not be told.

RBAC only adds: a request is allowed where any rule that the subject holds is about it, and nothing
takes it away again.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from modelreach.model import Verdict
from modelreach.policy.decision import Decision, Layer, Outcome, StatementRef
from modelreach.policy.escalation.mechanism import provided
from modelreach.policy.expr import FALSE, TRUE, Atom, AtomKind, Expr, all_of, any_of, is_open
from modelreach.policy.kubernetes.estate import MASTERS, Estate, Granted
from modelreach.policy.kubernetes.names import Action, Object, cluster_of
from modelreach.policy.kubernetes.refusing import operation_of
from modelreach.policy.kubernetes.rules import SELECTED, unnamed
from modelreach.policy.kubernetes.streams import opens
from modelreach.snapshot import Principal

#: What is fixed of a request: its `name` and `namespace` count.
Context = Mapping[str, tuple[str, ...]]
NOTHING: Final[Context] = {}
ANONYMOUS = provided("the API server lets requests without credentials in")
_KNOWN_AUTHORIZERS = frozenset({"RBAC", "Node"})

#: Resources that belong to the cluster: a role binding in a namespace never grants them.
#: https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding
CLUSTER_SCOPED = frozenset(
    {
        "nodes",
        "namespaces",
        "persistentvolumes",
        "componentstatuses",
        "users",
        "groups",
        "uids",
        "userextras",
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "certificatesigningrequests.certificates.k8s.io",
        "signers.certificates.k8s.io",
        "clustertrustbundles.certificates.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
        "apiservices.apiregistration.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "storageclasses.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "csidrivers.storage.k8s.io",
        "priorityclasses.scheduling.k8s.io",
        "runtimeclasses.node.k8s.io",
        "ingressclasses.networking.k8s.io",
        "flowschemas.flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
        "tokenreviews.authentication.k8s.io",
        "subjectaccessreviews.authorization.k8s.io",
    }
)


class Request(msgspec.Struct, frozen=True):
    """A request for an object, or for any of a scope (`name` ""). A `url` is of the cluster."""

    action: Action
    cluster: str
    namespace: str
    name: str

    @staticmethod
    def of(action: Action, thing: str, context: Context) -> Request:
        """Give the request for what an id names. `name` and `namespace` of the context say which,
        where the id is of a scope.

        Whether a cluster role may be bound is asked in the namespace of the binding.
        """
        found = Object.parse(thing)
        namespace = context.get("namespace", (found.namespace,))[0]
        name = context.get("name", (found.name,))[0]
        if _of_namespaces(action):
            namespace = name = name or namespace
        elif action.plural in CLUSTER_SCOPED and action.verb != "bind":
            namespace = ""
        return Request(action, found.cluster, namespace, name)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Where a binding has to stand to count."""
        if not self.namespace:
            return (self.cluster,)
        return self.cluster, f"{self.cluster}/{self.namespace}"


def _of_namespaces(action: Action) -> bool:
    """Is it about a namespace that is there? Such a request is made within that namespace, so that
    a role bound there counts.

    https://kubernetes.io/docs/reference/access-authn-authz/rbac/#rolebinding-and-clusterrolebinding
    """
    return action.plural == "namespaces" and not unnamed(action) and action.verb not in SELECTED


def decide(
    estate: Estate, principal: Principal, text: str, thing: str, context: Context = NOTHING
) -> Decision:
    """Decide one action on one thing, or on any, or the named one, of a scope."""
    action = Action.parse(text)
    if action is None:
        problem = f"`{text}` is not an action: GROUP:RESOURCE:VERB"
        return Decision(
            Verdict.UNKNOWN,
            Outcome.UNKNOWN,
            Atom(AtomKind.OPAQUE, problem),
            not_understood=(problem,),
        )
    request = Request.of(action, thing, context)
    if request.cluster != cluster_of(principal.id):
        return Decision(Verdict.DENY, Outcome.IMPLICIT_DENY, FALSE, blocked_by=(Layer.BINDING,))
    if estate.master(principal):
        return Decision(Verdict.ALLOW, Outcome.ALLOW, TRUE, allowed_by=(_masters(request),))
    if opens(action):
        return _opening(estate, principal, request)
    return _by_rules(estate, principal, request)


def _opening(estate: Estate, principal: Principal, request: Request) -> Decision:
    """A GET that opens a stream: creating that has to be allowed, too, where the cluster asks."""
    by_get = _by_rules(estate, principal, request)
    alone = estate.on_get_alone(request.cluster)
    if by_get.residual == FALSE or alone == TRUE:
        return by_get
    creating = replace(request, action=replace(request.action, verb="create"))
    created = _by_rules(estate, principal, creating)
    residual = all_of((by_get.residual, any_of((created.residual, alone))))
    because = tuple(sorted({*by_get.allowed_by, *created.allowed_by}))
    return _decision(residual, because if residual != FALSE else (), by_get.assumes)


def _masters(request: Request) -> StatementRef:
    text = f"every request of the group {MASTERS} is allowed"
    return StatementRef(Layer.SERVICE, MASTERS, request.cluster, "", 0, "", "Allow", text)


def _by_rules(estate: Estate, principal: Principal, request: Request) -> Decision:
    subjects = estate.subjects(principal)
    found = [
        (granted, when)
        for granted in estate.granted(subjects)
        if (when := allows(granted, request)) != FALSE
    ]
    anybody = [
        (granted, all_of((when, ANONYMOUS)))
        for granted in estate.granted(estate.anonymous(request.cluster))
        if (when := allows(granted, request)) != FALSE
    ]
    settled = any_of(when for _, when in (*found, *anybody))
    unread = () if settled == TRUE else tuple(_unread(estate, subjects, request))
    if settled != TRUE:
        nobody = _unread_roles(estate, estate.anonymous(request.cluster), request)
        unread += tuple(all_of((one, ANONYMOUS)) for one in nobody)
    residual = any_of((settled, *unread))
    because = (ref for granted, _ in (*found, *anybody) for ref in granted.references)
    allowed_by = tuple(sorted(set(because)))
    return _decision(residual, allowed_by, tuple(_assumed(estate, request)))


def _decision(
    residual: Expr, allowed_by: tuple[StatementRef, ...], assumes: tuple[str, ...]
) -> Decision:
    if residual == TRUE:
        return Decision(Verdict.ALLOW, Outcome.ALLOW, TRUE, allowed_by, assumes=assumes)
    if residual == FALSE:
        return Decision(
            Verdict.DENY,
            Outcome.IMPLICIT_DENY,
            FALSE,
            blocked_by=(Layer.BINDING,),
            assumes=assumes,
        )
    if is_open(residual, AtomKind.GAP, AtomKind.OPAQUE):
        return Decision(Verdict.UNKNOWN, Outcome.UNKNOWN, residual, allowed_by, assumes=assumes)
    return Decision(
        Verdict.CONDITIONAL, Outcome.CONDITIONAL, residual, allowed_by, assumes=assumes
    )


def allows(granted: Granted, request: Request) -> Expr:
    """Give when a rule that is held allows a request."""
    rule = granted.rule
    if not rule.about(request.action) or request.namespace in rule.outside:
        return FALSE
    here = _here(granted.binding.target, request)
    if here != TRUE:
        own = granted.binding.target.rpartition("/")[2]
        return FALSE if rule.names and own not in rule.names else all_of((granted.when, here))
    if not rule.names or request.action.group == "url":
        return granted.when
    if unnamed(request.action):
        return FALSE
    if request.name:
        return granted.when if request.name in rule.names else FALSE
    return all_of((granted.when, named(request.action, rule.names)))


def _here(target: str, request: Request) -> Expr:
    """Does a binding there count? Of any namespace of a cluster, one in a namespace counts for
    what is done to that one."""
    if target in request.scopes:
        return TRUE
    own = target.removeprefix(f"{request.cluster}/")
    if request.name or own == target or not _of_namespaces(request.action):
        return FALSE
    return named(request.action, (own,))


def named(action: Action, names: tuple[str, ...]) -> Expr:
    """Give what has to hold of a request for one of these names."""
    operator = "field selector is" if action.verb in SELECTED else "is one of"
    return Atom(AtomKind.CONTEXT, "metadata.name", operator, tuple(sorted(names)))


def _unread(estate: Estate, subjects: tuple[str, ...], request: Request) -> Iterator[Expr]:
    """What could allow it, and was not read or not understood."""
    for scope in dict.fromkeys((*request.scopes, *estate.unread_in("bindings", request.cluster))):
        here = _here(scope, request)
        if here != FALSE and estate.unread("bindings", scope):
            yield all_of((here, Atom(AtomKind.GAP, f"the role bindings of {scope}")))
    yield from _unread_roles(estate, subjects, request)


def _unread_roles(estate: Estate, subjects: tuple[str, ...], request: Request) -> Iterator[Expr]:
    """The roles of bindings of somebody that were not read, or not understood."""
    for binding in estate.unknown_roles(subjects):
        here = _here(binding.target, request)
        if here != FALSE:
            yield all_of((here, Atom(AtomKind.GAP, f"the rules of {binding.role}")))
    for subject in subjects:
        for binding in estate.bindings(subject):
            problems = estate.role(binding.role).problems
            here = _here(binding.target, request) if problems else FALSE
            if here != FALSE:
                unclear = Atom(AtomKind.OPAQUE, f"a rule of {binding.role}", "", problems[:1])
                yield all_of((here, unclear))


def _assumed(estate: Estate, request: Request) -> Iterator[str]:
    """Other authorisers may allow what RBAC does not, and what admits requests may refuse it.

    https://kubernetes.io/docs/reference/access-authn-authz/authorization/#authorization-modules
    https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
    """
    if refusing := estate.refusing(request.action, request.cluster, request.namespace):
        listed = ", ".join(one.name for one in refusing)
        yield f"that what admits requests in {request.cluster} does not refuse it: {listed}"
    elif operation_of(request.action) and estate.unread_admission(request.cluster):
        yield f"that nothing refuses it that admits requests in {request.cluster}: not read"
    scope = estate.facts.scopes.get(request.cluster)
    modes = scope.attributes.get("authorizers", ()) if scope is not None else ()
    others = [m for m in modes if m not in _KNOWN_AUTHORIZERS] if isinstance(modes, tuple) else []
    if others:
        yield f"what the authorisers {', '.join(others)} of {request.cluster} allow besides"
    if estate.from_files(request.cluster):
        yield f"what bindings {request.cluster} has that the files do not hold"
