"""A pytest plug-in for machines that must run every test: a skipped test fails the run."""

from typing import Any

import pytest

SKIPPED = 64  # an exit code apart from pytest's for tests that failed
_skipped: list[str] = []
_MODULES = "skipped_modules"  # sent by a worker to the controlling process, which learns of no other skips than skipped tests


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker ended: each has collected all modules."""
    _skipped.extend(name for name in getattr(node, "workeroutput", {}).get(_MODULES, ()) if name not in _skipped)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput[_MODULES] = _skipped
    if _skipped:
        session.exitstatus = SKIPPED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for name in _skipped:
        terminalreporter.write_line(f"SKIPPED, but nothing may be skipped here: {name}", red=True)
