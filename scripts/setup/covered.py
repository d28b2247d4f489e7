"""A pytest plug-in that measures the coverage of the process in which tests run, and of none that they start.

`coverage run` would measure the process that hands tests out, and with its patch for subprocesses every program that a test starts.
"""

import coverage
import pytest

_measured = coverage.Coverage(data_suffix=True)


def pytest_configure(config: pytest.Config) -> None:
    """Begin before any test, and with it the agent, is imported; where tests run in workers, each measures itself."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        _measured.start()


def pytest_unconfigure() -> None:
    if coverage.Coverage.current() is _measured:
        _measured.stop()
        _measured.save()
