"""The word that the process shall end."""

import signal
import sys
import threading

import pytest

from agent.desktop.system.termination import on_termination


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", *([] if sys.platform == "win32" else ["SIGHUP"])])
def test_it_is_told_from_another_thread(name: str) -> None:
    told = threading.Event()
    teller: list[threading.Thread] = []

    def stop() -> None:
        teller.append(threading.current_thread())
        told.set()

    before = signal.signal(signal.Signals[name], signal.SIG_DFL)  # whoever runs the tests may ignore some
    try:
        with on_termination(stop):
            signal.raise_signal(signal.Signals[name])
            assert told.wait(5)
    finally:
        signal.signal(signal.Signals[name], before)

    assert teller[0] is not threading.current_thread()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX' signal")
def test_the_end_of_a_terminal_is_nothing_to_who_was_started_to_outlive_it() -> None:
    told = threading.Event()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with on_termination(told.set), on_termination(told.set):  # the agent's, and in it the tray's
            signal.raise_signal(signal.SIGHUP)
            assert not told.wait(0.2)
            signal.raise_signal(signal.SIGTERM)
            assert told.wait(5)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


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
