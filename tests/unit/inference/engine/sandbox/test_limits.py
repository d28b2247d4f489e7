"""Limits are only ever lowered, and what a system does not have or refuses is left alone."""

import sys

import pytest

if sys.platform == "win32":
    pytest.skip("there are no such limits", allow_module_level=True)

import resource

from agent.inference.engine.sandbox.sandbox_paths import limit


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """What is set, in a system that allows 100 open files and any number of everything else."""
    limits: dict[int, tuple[int, int]] = {}

    def get(kind: int) -> tuple[int, int]:
        return (50, 100) if kind == resource.RLIMIT_NOFILE else (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    monkeypatch.setattr(resource, "getrlimit", get)
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    return limits


def test_a_lower_limit_stays(asked: dict[int, tuple[int, int]]) -> None:
    limit(2**34)
    assert asked[resource.RLIMIT_NOFILE] == (100, 100)
    least = 1 if sys.platform == "linux" else 0  # 1 keeps a crash also from the program that collects them
    assert asked[resource.RLIMIT_CORE] == (least, least) and asked[resource.RLIMIT_AS] == (2**34, 2**34)


def test_memory_is_unlimited_where_drivers_map_whatever_they_like(asked: dict[int, tuple[int, int]]) -> None:
    limit(None)
    assert resource.RLIMIT_AS not in asked


def test_a_limit_that_is_refused_stops_nothing(asked: dict[int, tuple[int, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: int, _: tuple[int, int]) -> None:
        if kind == resource.RLIMIT_CORE:
            raise ValueError
        asked[kind] = (0, 0)

    monkeypatch.setattr(resource, "setrlimit", refuse)
    limit(1)
    assert resource.RLIMIT_AS in asked and resource.RLIMIT_CORE not in asked
