"""The log: JSON lines in a rotating file or on standard output, written by a separate thread, with a filter that withholds private data."""

import json
import logging
import logging.handlers
import os
import queue
import threading
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

import structlog

from agent.infrastructure.core import error_metrics
from agent.infrastructure.core.files import replace_blocked_by
from agent.infrastructure.core.log_dedup import LogDeduplicator
from agent.infrastructure.core.log_privacy import described, guard, without_names
from agent.infrastructure.core.program_settings import LogSettings, LogTarget
from agent.infrastructure.core.request_id import current_id

# Lines that may wait for the disk; further ones are counted and dropped, because the program must not wait for its log.
_QUEUE = 10_000
_LONGEST_TORN = 1_000_000  # bytes
# Their debug lines contain paths, statements and addresses.
_CHATTY = (
    "watchdog",
    "sqlalchemy",
    "alembic",
    "asyncio",
    "uvicorn",
    "httpx",
    "httpcore",
    "PIL",
    "filelock",
    "keyring",
    "pywebview",
    "procrastinate",
    "psycopg",
)


def configure(
    settings: LogSettings, folder: Path, *, file: str = "agent.log", echo: TextIO | None = None, stdout: TextIO | None = None
) -> None:
    """Log to `folder/file` from now on, and to `echo`; to `stdout` instead of the file if it is given and the settings say so.

    Calling it again applies new settings. Raises OSError without the folder.
    """
    stop()
    if settings.target is not LogTarget.STDOUT:
        stdout = None
    if stdout is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    level = logging.getLevelName(settings.level.upper())
    waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(_QUEUE)
    entry = _Entry(waiting)
    if stdout is None:
        output: _File | _Output = _File(folder / file, settings.max_mb * 2**20, settings.files - 1, entry)
    else:
        output = _Output(stdout, file.removesuffix(".log"), entry)
    _Running.listener = _Listener(waiting, output)
    _Running.listener.start()
    _Running.entry = entry
    root = logging.getLogger()
    root.addHandler(entry)
    root.setLevel(level)
    if echo is not None:
        _Running.echo = logging.StreamHandler(echo)
        _Running.echo.setFormatter(_JsonLines())
        root.addHandler(_Running.echo)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # Its warnings say that no connection was made, which we log with a code, and without their arguments they say no more.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    structlog.configure(
        processors=[error_metrics.count, structlog.stdlib.filter_by_level, _with_request, guard, _hand_over],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def stop() -> None:
    """Write pending lines within a second or two, and close the file. Does nothing if there is no log."""
    if _Running.entry is not None:
        logging.getLogger().removeHandler(_Running.entry)
        _Running.entry = None
    if _Running.echo is not None:
        logging.getLogger().removeHandler(_Running.echo)
        _Running.echo = None
    if _Running.listener is not None:
        _Running.listener.stop()
        _Running.listener = None


_NOT_SAID = frozenset({"exc_info", "request"})


class _Running:
    """The one log of this process."""

    entry: "_Entry | None" = None
    listener: "_Listener | None" = None
    echo: "logging.StreamHandler[TextIO] | None" = None


def _with_request(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Structlog processor: adds the id of the request or job that the line is about."""
    request = current_id()
    return {"request": request, **event} if request else event


def _hand_over(_logger: object, _method: str, event: MutableMapping[str, object]) -> tuple[tuple[object, ...], dict[str, object]]:
    """Pass the event from structlog to logging as the message."""
    return (dict(event),), {"exc_info": event.get("exc_info")}


class _Entry(logging.handlers.QueueHandler):
    """Accepts records from any thread without waiting."""

    dropped = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record  # formatted in the listener's thread

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1


class _Listener(logging.handlers.QueueListener):
    """The writing thread; stopping it never hangs on a dead disk."""

    _thread: threading.Thread | None

    def __init__(self, waiting: "queue.Queue[logging.LogRecord | None]", output: "_File | _Output") -> None:
        super().__init__(waiting, output)
        self._waiting = waiting
        self._output = output

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        try:
            self._waiting.put(None, timeout=1)  # the listener's own end marker
        except queue.Full:
            return
        if thread is not None:
            thread.join(2)
            if not thread.is_alive():
                self._output.end()


class _PrivacyFilter:
    """Leaves out lines that repeat, and reports how many, and how many were dropped."""

    def __init__(self, entry: _Entry) -> None:
        self._entry = entry
        self._repeats = LogDeduplicator()

    def lines(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        if (record.levelno or 0) >= logging.WARNING and not self._repeats.passes(_says(record), record.created):
            return
        dropped, self._entry.dropped = self._entry.dropped, 0
        if dropped:
            yield _note("log.dropped", lines=dropped)
        yield from self.rest()
        yield record

    def rest(self) -> Iterator[logging.LogRecord]:
        if repeated := self._repeats.take():
            yield _note("log.repeated", lines=repeated)


class _Output(logging.StreamHandler[TextIO]):
    """Standard output, for containers. Each line names its process, because workers write there too."""

    def __init__(self, stream: TextIO, process: str, entry: _Entry) -> None:
        super().__init__(stream)
        self.setFormatter(_JsonLines(process))
        self._entry = entry
        self._sieve = _PrivacyFilter(entry)

    def emit(self, record: logging.LogRecord) -> None:
        for line in self._sieve.lines(record):
            super().emit(line)

    def end(self) -> None:
        for line in self._sieve.rest():
            super().emit(line)

    def handleError(self, record: logging.LogRecord) -> None:
        self._entry.dropped += 1


class _File(logging.handlers.RotatingFileHandler):
    """Size-limited, owner-only. A full disk or a locked file costs lines, never more."""

    def __init__(self, path: Path, size: int, older: int, entry: _Entry) -> None:
        super().__init__(path, maxBytes=size, backupCount=older, encoding="utf-8", delay=True)
        self.setFormatter(_JsonLines())
        self._entry = entry
        self._failed = False
        self._torn = False
        self._sieve = _PrivacyFilter(entry)

    def emit(self, record: logging.LogRecord) -> None:
        for line in self._sieve.lines(record):
            self._try(line)

    def end(self) -> None:
        """Report what was left out, and close."""
        for line in self._sieve.rest():
            self._try(line)
        self.close()

    def _try(self, record: logging.LogRecord) -> None:
        self._failed = False
        super().emit(record)
        self._torn = self._failed

    def format(self, record: logging.LogRecord) -> str:
        return ("\n" if self._torn else "") + super().format(record)

    def handleError(self, record: logging.LogRecord) -> None:
        self._entry.dropped += 1
        try:
            self.close()
        except OSError:
            self.stream = None  # its buffer could not be written either
        self._failed = not self._whole()

    def _whole(self) -> bool:
        """Remove a line that was only partly written. Return False if that failed, too: the next line then starts on a new one."""
        try:
            with Path(self.baseFilename).open("rb+") as file:
                end = file.seek(0, os.SEEK_END)
                start = file.seek(max(0, end - _LONGEST_TORN))
                file.truncate(start + file.read().rfind(b"\n") + 1)
        except OSError:
            return False
        return True

    def doRollover(self) -> None:
        self.close()
        if replace_blocked_by(Path(self.baseFilename)):
            return  # it grows until it can be renamed: trying would move the older files on, and lose the line
        super().doRollover()
        if self.backupCount == 0:
            Path(self.baseFilename).unlink(missing_ok=True)

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_owner_only)


def _says(record: logging.LogRecord) -> str:
    """Return the same key for lines that differ only in their time and their request."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    said = {key: value for key, value in record.msg.items() if key not in _NOT_SAID} if isinstance(record.msg, dict) else record.msg
    return f"{record.levelno} {record.name} {said} {type(error).__name__}"[:500]


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _note(event: str, **facts: int) -> logging.LogRecord:
    return logging.makeLogRecord({"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": {"event": event, **facts}})


class _JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self._process = {"process": process} if process else {}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self._process,
        }
        if isinstance(record.msg, dict):
            line |= {key: value for key, value in record.msg.items() if key != "exc_info"}
        else:
            # From a third party: its arguments may be paths, so only the format string is kept.
            line["event"] = without_names(str(record.msg))[:300]
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            line["exception"] = described(record.exc_info[1])
        return json.dumps(line, default=lambda value: type(value).__name__)
