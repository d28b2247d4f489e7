"""A pytest plug-in that lists the tests which took more processor time than they should: 2 s, or 15 s for a smoke. Nothing fails for it."""

import time
from collections.abc import Generator

import pytest

FAST_S, SMOKE_S = 2.0, 15.0
_MOST = 20
_SPENT = "processor_seconds_over_budget"
_over: list[tuple[float, str]] = []


def _spent() -> float:
    """Of this process, and of its children that have ended."""
    try:
        import resource
    except ImportError:  # Windows counts only the process itself
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    before = _spent()
    try:
        return (yield)
    finally:
        spent = _spent() - before
        if spent > (FAST_S if item.get_closest_marker("smoke") is None else SMOKE_S):
            item.user_properties.append((_SPENT, spent))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call":
        _over.extend((float(str(value)), report.nodeid) for name, value in report.user_properties if name == _SPENT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for spent, name in sorted(_over, reverse=True)[:_MOST]:
        terminalreporter.write_line(f"over budget: {spent:.1f} s of processor time, {name}")
    if len(_over) > _MOST:
        terminalreporter.write_line(f"over budget: {len(_over) - _MOST} more")
