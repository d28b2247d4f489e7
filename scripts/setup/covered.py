"""A pytest plug-in that measures the coverage of the process in which tests run, and of none that they start.

`coverage run` would measure the process that hands tests out, and with its patch for subprocesses every program that a test starts.
"""

import os

import coverage
import pytest

_measured = coverage.Coverage(data_suffix=True)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before any conftest imports the agent; where tests run in workers, each measures itself."""
    worker = "PYTEST_XDIST_WORKER" in os.environ
    if worker or not getattr(early_config.known_args_namespace, "numprocesses", None):
        _measured.start()


def pytest_unconfigure() -> None:
    if coverage.Coverage.current() is _measured:
        _measured.stop()
        _measured.save()
