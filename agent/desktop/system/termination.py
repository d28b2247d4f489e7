"""Reports requests to end the process immediately, even while the main thread is in a native event loop."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


@contextlib.contextmanager
def on_termination(stop: Callable[[], None]) -> Iterator[None]:
    """While inside, Ctrl+C and termination signals call `stop` from a separate thread. Main thread only.

    Python runs signal handlers in the main thread between two bytecodes, which never happens while Qt, Win32 or Cocoa loops there. But
    the interpreter writes the signal's number to the wake-up socket at once, whatever the main thread does: so a thread reads that.
    """
    numbers = [signal.Signals[name] for name in _NAMES if name in signal.Signals.__members__ and not _outlived(name)]
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def watch() -> None:
        while received := reader.recv(64):
            if any(number in received for number in numbers):
                stop()

    watcher = threading.Thread(target=watch, name="termination", daemon=True)
    handlers = {number: signal.signal(number, _ignore) for number in numbers}
    wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        writer.close()
        watcher.join(timeout=5)
        reader.close()


def _outlived(name: str) -> bool:
    """Whether the program was started to survive the end of its terminal (`nohup`)."""
    return name == "SIGHUP" and signal.getsignal(signal.Signals[name]) is signal.SIG_IGN


def _ignore(number: int, frame: object) -> None:
    """Python's handler does nothing: the wake-up socket has already reported the signal."""
