"""Observes one folder with watchdog: by system events, or by polling."""

import errno
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

_KINDS: list[type[FileSystemEvent]] = [
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]

_REST = 10
TELLS_OF_CLOSING = sys.platform == "linux"  # whether the system reports that a written file was closed

OnEvent: TypeAlias = Callable[[FileSystemEvent], None]


class LimitReached(Exception):
    """The system's limit of watched folders for this user is reached."""


class Observation:
    """Watches one folder until `stop`. Both callbacks come from threads; all methods may block: call them in a thread.

    `on_overflow` reports lost events (not on macOS: there the periodic rescan finds missed changes).
    """

    def __init__(self, on_event: OnEvent, on_overflow: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_overflow = on_overflow
        self._observer: BaseObserver | None = None

    def start(self, folder: str, *, recursive: bool, poll_s: float | None) -> None:
        """Observe `folder`, a real path; every `poll_s` seconds if given. Raises LimitReached, or OSError if the folder can't be read."""
        limited: list[bool] = []
        told = poll_s is None and TELLS_OF_CLOSING
        # Every written chunk would cause an event; the close event is enough, and files being written are checked anyway.
        kinds = [kind for kind in _KINDS if not (told and kind is FileModifiedEvent)]
        try:
            self._observer = _observer(poll_s, self._on_overflow, lambda: limited.append(True))
            self._observer.schedule(_Handler(self._on_event), folder, recursive=recursive, event_filter=kinds)
            self._observer.start()
        except OSError as error:
            self.stop()
            if error.errno in (errno.ENOSPC, errno.EMFILE):
                raise LimitReached from error
            raise
        if limited:  # of an inner folder: watchdog ignores that
            self.stop()
            raise LimitReached

    def stop(self) -> None:
        """End the threads; waits at most a second for them."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            if observer.is_alive():
                observer.join(1)


class _Handler(FileSystemEventHandler):
    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event

    def dispatch(self, event: FileSystemEvent) -> None:
        self._on_event(event)


def _observer(poll_s: float | None, on_overflow: Callable[[], None], on_limit: Callable[[], None]) -> "BaseObserver":
    if poll_s is not None:
        return asking_observer(poll_s)
    if sys.platform == "linux":
        return _linux_observer(on_overflow, on_limit)
    if sys.platform == "win32":
        return _windows_observer(on_overflow)
    from watchdog.observers import Observer

    return Observer()


def asking_observer(interval_s: float, clock: Callable[[], float] = time.monotonic) -> "BaseObserver":
    """Polls the folder at intervals. Links are not followed: some are circular."""
    from watchdog.observers.api import BaseObserver
    from watchdog.observers.polling import PollingEmitter

    class Patient(PollingEmitter):
        """Pauses ten times as long as its last poll took: a large folder on a slow drive is not polled without pause."""

        rest_s = 0.0

        def queue_events(self, timeout: float) -> None:
            rest = max(timeout, self.rest_s)
            begun = clock()
            super().queue_events(rest)
            self.rest_s = _REST * (clock() - begun - rest)

    emitter = partial(Patient, stat=os.lstat, listdir=os.scandir)
    return BaseObserver(emitter, timeout=interval_s)  # type: ignore[arg-type]  # it is called like the class that is wanted


if sys.platform == "linux":

    def _linux_observer(on_overflow: Callable[[], None], on_limit: Callable[[], None]) -> "BaseObserver":
        from watchdog.observers.api import BaseObserver
        from watchdog.observers.inotify import InotifyFullEmitter
        from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, Mask, WatchCallback, WatchDescriptor

        class Inotify(InotifyFD):
            """Reports conditions that watchdog only logs: lost events and the limit of watches."""

            def handle_event(self, event: InotifyEvent) -> None:
                super().handle_event(event)  # first: it also starts watching new subfolders
                if event.is_queue_overflow:
                    on_overflow()

            def add_callback(self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId) -> WatchDescriptor:
                try:
                    return super().add_callback(path, mask, callback, id_)
                except OSError as error:
                    if error.errno == errno.ENOSPC:
                        on_limit()
                    raise

        class Observer(BaseObserver):
            """Reports moves in or out as moves: a file moved in is complete, a created one is not."""

            def __init__(self) -> None:
                self._inotify = Inotify()
                self._inotify.start()
                super().__init__(InotifyFullEmitter, inotify_fd=self._inotify)

            def on_thread_stop(self) -> None:
                super().on_thread_stop()
                self._inotify.stop()

        return Observer()


if sys.platform == "win32":

    def _windows_observer(on_overflow: Callable[[], None]) -> "BaseObserver":
        from watchdog.observers.api import BaseObserver
        from watchdog.observers.read_directory_changes import WindowsApiEmitter
        from watchdog.observers.winapi import DirectoryChangeReader

        class Reader(DirectoryChangeReader):
            """Reports lost events, which watchdog passes over: more changes than fit, of which the system tells nothing."""

            def _run_inner(self, handle: Any, event_buffer: Any, nbytes: Any) -> None:
                super()._run_inner(handle, event_buffer, nbytes)
                if not nbytes.value and not self._should_stop:
                    on_overflow()

        class Emitter(WindowsApiEmitter):
            def on_thread_start(self) -> None:
                with self._lock:
                    self._reader = Reader(self.watch.path, recursive=self.watch.is_recursive)
                self._reader.start()

        return BaseObserver(Emitter)
