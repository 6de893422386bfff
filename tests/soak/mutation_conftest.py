"""What the tests of mutants need: no answer of an earlier mutant, and no chance.

Copied as the conftest.py of the quick tests by `mutation_aws.py`. A mutant is switched on in a
process that has imported everything, so what is made on import is made again, and what other
modules keep of earlier answers is forgotten.
"""

from __future__ import annotations

import functools
import gc

import pytest

from modelreach.policy.aws import clauses, evaluate, operators

SLOW = ("test_recorded_cases_agree", "test_what_is_left_agrees_with_every_completion")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out laws over generated policies: they are slow, and not the same each time.

    Begin with what is quick: most mutants do not live to see the rest.
    """
    items[:] = [one for one in items if not hasattr(getattr(one, "obj", None), "hypothesis")]
    items.sort(key=lambda item: 1 + SLOW.index(name) if (name := _function(item)) in SLOW else 0)


def _function(item: pytest.Item) -> str:
    return item.name.partition("[")[0]


@pytest.fixture(scope="module", autouse=True)
def _nothing_kept() -> None:
    evaluate._RELEVANT.clear()
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper):
            module = getattr(found, "__module__", "")
            if str(module).startswith("modelreach.policy"):
                found.cache_clear()


@pytest.fixture(autouse=True)
def _table_made_again() -> None:
    made = operators._table()
    operators.OPERATORS.clear()
    operators.OPERATORS.update(made)
    clauses._NAMES.clear()
    clauses._NAMES.update({name.lower(): name for name in made})
