"""Random estates over several clouds: few names, so that halves meet, or almost meet."""

from __future__ import annotations

import random
from typing import Any

Record = dict[str, Any]
CLUSTERS = ("k8s/one", "k8s/two")
_ISSUERS = {"k8s/one": "https://oidc.one.example/id/1", "k8s/two": "https://oidc.two.example"}
ARN = "arn:aws:eks:eu-west-1:111122223333:cluster/one"
ACCOUNTS = ("111122223333", "444455556666")
_OWN = {
    "111122223333": "https://aaaa-1.tokens.sts.global.api.aws",
    "444455556666": "https://bbbb-2.tokens.sts.global.api.aws",
}
_NOBODYS = "https://cccc-3.tokens.sts.global.api.aws"
ROLES = ("desk", "run")
TENANT = "11111111-0000-0000-0000-000000000000"
_OLD, _NEW = (
    f"https://sts.windows.net/{TENANT}/",
    f"https://login.microsoftonline.com/{TENANT}/v2.0",
)
IDENTITIES = tuple(f"33333333-0000-0000-0000-00000000000{n}" for n in range(3))
APPS = tuple(f"22222222-0000-0000-0000-00000000000{n}" for n in range(3))
PROJECT, NUMBER = "p", "11"
_POOLS = tuple(
    f"//iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/{name}"
    for name in ("a", "b")
)
EMAILS = tuple(f"{name}@{PROJECT}.iam.gserviceaccount.com" for name in ("reader", "writer"))
UIDS = ("1001", "1002")
_PODS = tuple(
    f"system:serviceaccount:{space}:{name}" for space in ("ml", "web") for name in ("app", "b")
)
_ARNS = tuple(f"arn:aws:iam::{a}:role/{r}" for a in ACCOUNTS for r in ROLES)
_SUBJECTS = (*_PODS, *_ARNS, *IDENTITIES, *UIDS)
_EXCHANGE, _STS = "api://AzureADTokenExchange", "sts.amazonaws.com"
_AUDIENCES = (_EXCHANGE, _STS, "https://other.example")
_ALL_ISSUERS = (
    *_ISSUERS.values(),
    *_OWN.values(),
    _NOBODYS,
    _OLD,
    _NEW,
    "https://accounts.google.com",
)


def random_case(seed: str) -> Record:
    """Give the case of a seed."""
    rng = random.Random(seed)  # noqa: S311 - repeatable
    return {
        "clusters": [_cluster(rng, name) for name in CLUSTERS],
        "accounts": [_account(rng, name) for name in ACCOUNTS],
        "tenant": {"id": TENANT, "identities": [_identity(rng, n) for n in range(3)]},
        "project": {
            "id": PROJECT,
            "number": NUMBER,
            "providers": [_provider(rng, n) for n in range(rng.randint(0, 4))],
            "accounts": [_service_account(rng, n) for n in range(2)],
        },
    }


def _some(rng: random.Random, items: tuple[str, ...], most: int = 2) -> list[str]:
    return rng.sample(items, rng.randint(1, most))


def _cluster(rng: random.Random, name: str) -> Record:
    first = name == CLUSTERS[0]
    return {
        "name": name,
        "issuer": _ISSUERS[name],
        "arn": ARN if first and rng.random() < 0.4 else "",
        "pool": f"{PROJECT}.svc.id.goog" if not first and rng.random() < 0.4 else "",
        "accounts": [_pod(rng, subject) for subject in _PODS],
    }


def _pod(rng: random.Random, subject: str) -> Record:
    _, _, namespace, name = subject.split(":")
    return {
        "namespace": namespace,
        "name": name,
        "role": rng.choice(_ARNS) if rng.random() < 0.3 else "",
        "audience": rng.choice(("", "", *_AUDIENCES)),
        "client": rng.choice(APPS) if rng.random() < 0.3 else "",
        "mounted": _some(rng, _AUDIENCES) if rng.random() < 0.4 else [],
    }


def _account(rng: random.Random, number: str) -> Record:
    issues = rng.choice((True, True, False, None))
    trusted = rng.sample(_ALL_ISSUERS, rng.randint(1, 4))
    outside = [one for one in trusted if ".tokens.sts." not in one and "google" not in one]
    providers = [{"issuer": one, "clients": _some(rng, _AUDIENCES)} for one in outside]
    return {
        "id": number,
        "issues": issues,
        "issuer": _OWN[number] if issues else "",
        "providers": providers,
        "roles": [_role(rng, name, len(providers)) for name in ROLES],
        # They are parts of their cluster, and so of its account.
        "associations": [
            _association(rng) for _ in range(rng.choice((0, 1, 2)) if number in ARN else 0)
        ],
    }


def _association(rng: random.Random) -> Record:
    _, _, namespace, name = rng.choice(_PODS).split(":")
    cluster = rng.choice((ARN, ARN, ARN.replace("one", "two")))
    return {"cluster": cluster, "namespace": namespace, "account": name, "role": rng.choice(ROLES)}


def _role(rng: random.Random, name: str, providers: int) -> Record:
    asks: list[str] | None = None
    if rng.random() < 0.6:
        asks = ["*"] if rng.random() < 0.4 else _some(rng, _AUDIENCES)
    return {
        "name": name,
        "asks": asks,
        "trust": [_statement(rng, providers) for _ in range(rng.randint(0, 3))],
    }


def _statement(rng: random.Random, providers: int) -> Record:
    likes = ("system:serviceaccount:ml:*", "system:*", "3333*", "*", "10*")
    google = not providers or rng.random() < 0.25
    audiences = UIDS if google else _AUDIENCES
    return {
        "effect": rng.choice(("Allow",) * 6 + ("Deny",)),
        "provider": "google" if google else rng.randrange(providers),
        "sub": _some(rng, _SUBJECTS, 3) if rng.random() < 0.5 else None,
        "like": rng.choice(likes) if rng.random() < 0.3 else None,
        "aud": rng.choice(audiences) if rng.random() < 0.4 else None,
    }


def _identity(rng: random.Random, number: int) -> Record:
    return {
        "id": IDENTITIES[number],
        "app": APPS[number],
        "kind": rng.choice(("managed-identity", "service-principal")),
        "enabled": rng.random() < 0.9,
        "credentials": [_credential(rng) for _ in range(rng.randint(0, 3))],
    }


def _credential(rng: random.Random) -> Record:
    by_start = rng.random() < 0.2
    return {
        "issuer": rng.choice(_ALL_ISSUERS),
        "subject": "" if by_start else rng.choice(_SUBJECTS),
        "starts": rng.choice(("system:serviceaccount:ml:", "arn:aws:iam::1", "1"))
        if by_start
        else "",
        "audiences": rng.choice(([], [_EXCHANGE], _some(rng, _AUDIENCES))),
    }


def _provider(rng: random.Random, number: int) -> Record:
    aws = rng.choice(ACCOUNTS) if rng.random() < 0.3 else ""
    return {
        "pool": rng.choice(_POOLS),
        "name": f"x{number}",
        "issuer": "" if aws else rng.choice(_ALL_ISSUERS),
        "aws": aws,
        "audiences": _some(rng, _AUDIENCES) if rng.random() < 0.6 else [],
        "subject": rng.choice(("sub", "sub", "sub", "email")),
        "who": rng.random() < 0.5,
        "condition": _condition(rng, aws) if rng.random() < 0.5 else None,
        "disabled": rng.random() < 0.1,
    }


def _condition(rng: random.Random, aws: str) -> Record:
    if aws:
        start = f"arn:aws:sts::{aws}:assumed-role/{rng.choice(ROLES)}/"
        told = {"claim": "account", "is": rng.choice(ACCOUNTS)}, {"claim": "arn", "starts": start}
        return rng.choice(told)
    drawn: tuple[Record, ...] = (
        {"claim": "sub", "is": rng.choice(_SUBJECTS)},
        {
            "claim": "sub",
            "starts": rng.choice(("system:serviceaccount:ml:", "system:", "1", "arn:")),
        },
        {"claim": "email", "is": rng.choice(EMAILS)},
    )
    return rng.choice(drawn)


def _service_account(rng: random.Random, number: int) -> Record:
    return {
        "email": EMAILS[number],
        "uid": UIDS[number],
        "disabled": rng.random() < 0.1,
        "members": [_member(rng) for _ in range(rng.randint(0, 3))],
    }


def _member(rng: random.Random) -> str:
    pool = rng.choice(_POOLS)
    role = f"arn:aws:sts::{rng.choice(ACCOUNTS)}:assumed-role/{rng.choice(ROLES)}"
    return rng.choice(
        (
            f"principal:{pool}/subject/{rng.choice(_SUBJECTS)}",
            f"principalSet:{pool}/attribute.who/{rng.choice(_SUBJECTS)}",
            f"principalSet:{pool}/attribute.aws_role/{role}",
            f"principalSet:{pool}/*",
            f"serviceAccount:{PROJECT}.svc.id.goog[ml/app]",
        )
    )
