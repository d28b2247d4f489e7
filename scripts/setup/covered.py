"""A pytest plug-in that measures the coverage of the process in which tests run, and of none that they start.

`coverage run` would measure the process that hands tests out, and with its patch for subprocesses every program that a test starts.
"""

import os
from collections.abc import Generator

import coverage
import pytest

_measured = coverage.Coverage(data_suffix=True)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before any conftest imports the agent; where tests run in workers, each measures itself."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    if worker or not getattr(early_config.known_args_namespace, "numprocesses", None):
        _measured.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Leave out the slow ones, which walk the lines of a quick one for longer: measured, they take a third more."""
    if item.get_closest_marker("slow") is None or coverage.Coverage.current() is not _measured:
        return (yield)
    _measured.stop()
    try:
        return (yield)
    finally:
        _measured.start()


def pytest_unconfigure() -> None:
    if coverage.Coverage.current() is _measured:
        _measured.stop()
        _measured.save()
