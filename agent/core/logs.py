"""The log: JSON lines in a rotating file, written by a separate thread, with a filter that withholds private data."""

import json
import logging
import logging.handlers
import os
import queue
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

import structlog

from agent.core.settings import LogSettings
from agent.domain.errors import AgentError

WINDOW_S = 60.0
MOST = 5  # of the same line, per window
_KNOWN = 128  # number of remembered lines


@dataclass(slots=True)
class _Line:
    since: float
    count: int = 1


class RepeatedLines:
    """Counts lines by content. It has no clock: the time is an argument."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line] = OrderedDict()
        self.left_out = 0  # lines since the last call of `take`

    def passes(self, says: str, now: float) -> bool:
        """Return whether to write this line."""
        line = self._lines.get(says)
        if line is None or not 0 <= now - line.since < WINDOW_S:
            self._lines[says] = _Line(now)
            self._lines.move_to_end(says)
            if len(self._lines) > _KNOWN:
                self._lines.popitem(last=False)
            return True
        line.count += 1
        self._lines.move_to_end(says)  # a repeating line is not evicted for others
        if line.count <= MOST:
            return True
        self.left_out += 1
        return False

    def take(self) -> int:
        """Return the number of lines left out since the last call."""
        left_out, self.left_out = self.left_out, 0
        return left_out


WITHHELD: Final = "[withheld]"
# Lines that may wait for the disk; further ones are counted and dropped, because the program must not wait for its log.
_QUEUE = 10_000
# Key words whose text is private. Numbers under such keys are counts or ids, and pass.
_PRIVATE = re.compile(
    r"address|dest|dir|directory|dst|faces?|file|filenames?|files|folders?|home|host|images?|input|label|names?|nearest|new|old|params|password|paths?"
    r"|people|persons?|photos?|query|root|secret|src|target|text|title|token|url|user|values?"
)
# Paths, including Windows paths, and quoted text, because third parties quote names.
_PATHLIKE = re.compile(r"(?:[A-Za-z]:)?[\\/][^\s'\"]+|~[\\/]|file:")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
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


def configure(settings: LogSettings, folder: Path, *, file: str = "agent.log", echo: TextIO | None = None) -> None:
    """Log to `folder/file` from now on, and to `echo`. Calling it again applies new settings. Raises OSError without the folder."""
    stop()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    level = logging.getLevelName(settings.level.upper())
    waiting: queue.Queue[logging.LogRecord | None] = queue.Queue(_QUEUE)
    entry = _Entry(waiting)
    _Running.listener = _Listener(waiting, _File(folder / file, settings.max_mb * 2**20, settings.files - 1, entry))
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
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, guard, _hand_over],
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


def places(error: BaseException) -> str:
    """Return where the error and its causes arose, as a line of JSON without messages, which may contain file names."""
    return json.dumps(_exception(error), default=lambda value: type(value).__name__)


def guard(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Structlog processor: replaces private values and lists their keys under `withheld`, so that the caller can be found and fixed."""
    withheld: list[str] = []
    safe: dict[str, object] = {key: value if key == "exc_info" else _safe(key, value, withheld) for key, value in event.items()}
    return {**safe, "withheld": sorted(set(withheld))} if withheld else safe


class _Running:
    """The one log of this process."""

    entry: "_Entry | None" = None
    listener: "_Listener | None" = None
    echo: "logging.StreamHandler[TextIO] | None" = None


def _safe(key: str, value: object, withheld: list[str]) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case AgentError():
            return {"code": value.code, **{name: _safe(name, param, withheld) for name, param in value.params.items()}}
        case BaseException():
            return type(value).__name__  # its message may contain a file name
        case str() if not (any(map(_PRIVATE.fullmatch, key.lower().split("_"))) or _PATHLIKE.search(value)):
            return value
        case Mapping() if all(isinstance(name, str) and name.isidentifier() for name in value):
            return {name: _safe(f"{key}_{name}", inner, withheld) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe(key, inner, withheld) for inner in value]
        case _:
            withheld.append(key)
            return WITHHELD


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

    def __init__(self, waiting: "queue.Queue[logging.LogRecord | None]", file: "_File") -> None:
        super().__init__(waiting, file)
        self._waiting = waiting
        self._file = file

    def stop(self) -> None:
        thread, self._thread = self._thread, None
        try:
            self._waiting.put(None, timeout=1)  # the listener's own end marker
        except queue.Full:
            return
        if thread is not None:
            thread.join(2)
            if not thread.is_alive():
                self._file.end()


class _File(logging.handlers.RotatingFileHandler):
    """Size-limited, owner-only. A full disk or a locked file costs lines, never more."""

    def __init__(self, path: Path, size: int, older: int, entry: _Entry) -> None:
        super().__init__(path, maxBytes=size, backupCount=older, encoding="utf-8", delay=True)
        self.setFormatter(_JsonLines())
        self._entry = entry
        self._failed = False
        self._torn = False
        self._repeats = RepeatedLines()

    def emit(self, record: logging.LogRecord) -> None:
        if (record.levelno or 0) >= logging.WARNING and not self._repeats.passes(_says(record), record.created):
            return
        dropped, self._entry.dropped = self._entry.dropped, 0
        if dropped:
            self._try(_note("log.dropped", lines=dropped))
        if repeated := self._repeats.take():
            self._try(_note("log.repeated", lines=repeated))
        self._try(record)

    def end(self) -> None:
        """Report what was left out, and close."""
        if repeated := self._repeats.take():
            self._try(_note("log.repeated", lines=repeated))
        self.close()

    def _try(self, record: logging.LogRecord) -> None:
        self._failed = False
        super().emit(record)
        self._torn = self._failed

    def format(self, record: logging.LogRecord) -> str:
        return ("\n" if self._torn else "") + super().format(record)

    def handleError(self, record: logging.LogRecord) -> None:
        self._entry.dropped += 1
        self._failed = True  # a partial line may be there: start the next on a new line
        try:
            self.close()
        except OSError:
            self.stream = None  # its buffer could not be written either

    def doRollover(self) -> None:
        super().doRollover()
        if self.backupCount == 0:
            Path(self.baseFilename).unlink(missing_ok=True)

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_owner_only)


def _says(record: logging.LogRecord) -> str:
    """Return the same key for lines that differ only in their time."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    said = {key: value for key, value in record.msg.items() if key != "exc_info"} if isinstance(record.msg, dict) else record.msg
    return f"{record.levelno} {record.name} {said} {type(error).__name__}"[:500]


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _note(event: str, **facts: int) -> logging.LogRecord:
    return logging.makeLogRecord({"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING", "msg": {"event": event, **facts}})


class _JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(record.msg, dict):
            line |= {key: value for key, value in record.msg.items() if key != "exc_info"}
        else:
            # From a third party: its arguments may be paths, so only the format string is kept.
            line["event"] = _PATHLIKE.sub("…", _QUOTED.sub("…", str(record.msg)))[:300]
        if isinstance(record.exc_info, tuple) and record.exc_info[1] is not None:
            line["exception"] = _exception(record.exc_info[1])
        return json.dumps(line, default=lambda value: type(value).__name__)


def _exception(error: BaseException) -> dict[str, object]:
    """Return kind, code and location of an error and its causes; never its message, which may contain a file name."""
    found: dict[str, object] = {"kind": type(error).__name__, "stack": _stack(error.__traceback__)}
    if isinstance(error, AgentError):
        found |= {"code": error.code, "facts": {name: _safe(name, value, []) for name, value in error.params.items()}}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        found["cause"] = _exception(cause)
    return found


def _stack(trace: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames[-12:]
