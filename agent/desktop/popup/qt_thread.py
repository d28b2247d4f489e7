"""Hands calls from any thread to the thread that runs Qt's event loop."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

Result = TypeVar("Result")


class QtThread(QObject):
    """Created in Qt's thread; its methods are called from any thread."""

    _posted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._posted.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post(self, call: Callable[[], object]) -> None:
        """Queue `call` for Qt's thread and return at once."""
        self._posted.emit(call)

    def ask(self, call: Callable[[], Result], timeout: float) -> Result:
        """Run `call` in Qt's thread and wait for its result, `timeout` seconds at most. Raises TimeoutError, or what `call` raises.

        Never call it from Qt's thread, which would wait for its own answer.
        """
        future: Future[Result] = Future()

        def answer() -> None:
            try:
                future.set_result(call())
            except Exception as error:  # handed to the thread that asked
                future.set_exception(error)

        self.post(answer)
        return future.result(timeout)

    @Slot(object)
    def _run(self, call: Callable[[], object]) -> None:
        call()
