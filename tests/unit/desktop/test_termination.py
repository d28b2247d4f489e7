"""The word that the process shall end."""

import signal
import sys
import threading

import pytest

from agent.desktop.termination import on_termination


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", *([] if sys.platform == "win32" else ["SIGHUP"])])
def test_it_is_told_from_another_thread(name: str) -> None:
    told = threading.Event()
    teller: list[threading.Thread] = []

    def stop() -> None:
        teller.append(threading.current_thread())
        told.set()

    with on_termination(stop):
        signal.raise_signal(signal.Signals[name])
        assert told.wait(5)

    assert teller[0] is not threading.current_thread()


def test_other_signals_are_none_of_its_business() -> None:
    told = threading.Event()
    before = signal.signal(signal.SIGABRT, lambda number, frame: None)
    try:
        with on_termination(told.set):
            signal.raise_signal(signal.SIGABRT)
    finally:
        signal.signal(signal.SIGABRT, before)

    assert not told.is_set()


def test_afterwards_all_is_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    threads = threading.active_count()
    with on_termination(lambda: None):
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1
    assert threading.active_count() == threads
