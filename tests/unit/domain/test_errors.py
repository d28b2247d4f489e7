"""The error tree: codes that are its own, and the way to one error from a code or a group of tasks."""

import inspect

import pytest

from agent.domain import errors
from agent.domain.errors import AgentError, EngineCrashed, ImageTooLarge, StoreBusy, Unexpected, from_code, leaves, reason_of


def test_every_class_is_a_family_or_has_a_code_of_its_own() -> None:
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AgentError)]
    coded = [kind for kind in classes if kind.code]
    assert sorted(kind.code for kind in coded) == sorted(leaves())
    assert all(kind.__subclasses__() for kind in classes if not kind.code)
    assert not any(kind.__subclasses__() for kind in coded)


@pytest.mark.parametrize("code", sorted(leaves()))
def test_an_error_survives_the_way_through_another_process(code: str) -> None:
    error = from_code(code, {"limit": 3})
    assert (type(error), error.params) == (leaves()[code], {"limit": 3})


def test_an_unknown_code_becomes_unexpected() -> None:
    error = from_code("image.purple", {})
    assert isinstance(error, Unexpected)
    assert error.params == {"kind": "image.purple"}


def test_an_error_says_its_code_and_facts() -> None:
    assert str(ImageTooLarge(megabytes=900, limit=500)) == "image.too_large megabytes=900 limit=500"


def test_the_reason_is_found_however_deep_it_lies() -> None:
    error = StoreBusy()
    assert reason_of(error) is error
    assert reason_of(BaseExceptionGroup("tasks", [ExceptionGroup("inner", [error]), EngineCrashed()])) is error
