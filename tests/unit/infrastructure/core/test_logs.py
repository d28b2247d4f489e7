"""The log: complete, bounded and private."""

import io
import json
import logging
import os
import queue
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from agent.domain.errors import ImageTooLarge, NoSuchName, StoreDiskFull
from agent.infrastructure.core import logs
from agent.infrastructure.core.log_privacy import WITHHELD, described, guard
from agent.infrastructure.core.program_settings import LogSettings, LogTarget


@pytest.fixture(autouse=True)
def _end_of_the_log() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logs.stop()
    structlog.reset_defaults()
    logging.getLogger().setLevel(level)


def written(folder: Path) -> list[dict[str, Any]]:
    logs.stop()
    return [json.loads(line) for line in (folder / "agent.log").read_text(encoding="utf-8").splitlines() if line]


def test_an_event_is_one_line_of_json_in_utc(tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path)
    structlog.get_logger("agent.x").info("scan.done", files=12, seconds=0.5, code="image.empty")
    (line,) = written(tmp_path)
    assert line.pop("at").endswith("+00:00")
    assert line == {"level": "info", "logger": "agent.x", "event": "scan.done", "files": 12, "seconds": 0.5, "code": "image.empty"}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_the_owner_s_alone(tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path / "logs")
    structlog.get_logger().info("x")
    written(tmp_path / "logs")
    assert stat.S_IMODE((tmp_path / "logs" / "agent.log").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "facts",
    [
        {"path": "a.jpg"},
        {"old_path": "a"},
        {"name": "Mei"},
        {"person": "Mei"},
        {"file": "IMG_1.JPG"},
        {"folder": "Pictures"},
        {"reason": "open /home/mei/a.jpg failed"},
        {"detail": r"C:\Users\Mei\a.jpg"},
        {"where": "~/Pictures"},
        {"what": Path("a")},
        {"what": b"Mei"},
        {"what": object()},
        {"what": ["ok", Path("a")]},
        {"what": {"name": "Mei"}},
        {"what": {"/home/mei": 1}},
        {"people": {"a": "Mei"}},
        {"error": NoSuchName(name="Me", nearest="Mei")},
    ],
)
def test_private_things_are_withheld_and_their_place_is_named(facts: dict[str, object]) -> None:
    event = guard(None, "info", {"event": "x", **facts})
    text = json.dumps(event)
    assert WITHHELD in text
    assert event["withheld"]
    assert not any(secret in text for secret in ("Mei", "mei", "IMG", "Pictures", "a.jpg"))


@pytest.mark.parametrize(
    "facts", [{"files": 3}, {"people": 2}, {"code": "a.b"}, {"kind": "OSError"}, {"on": True, "none": None}, {"ids": [1, 2]}]
)
def test_counts_codes_and_ids_pass(facts: dict[str, object]) -> None:
    assert guard(None, "info", {"event": "x", **facts}) == {"event": "x", **facts}


def test_an_error_is_logged_by_code_kind_and_place_without_its_message(tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path)
    log = structlog.get_logger("agent.x")
    try:
        try:
            raise FileNotFoundError(2, "No such file", "/home/mei/a.jpg")
        except OSError as error:
            raise StoreDiskFull from error
    except StoreDiskFull:
        log.exception("job.failed")
    log.info("refused", error=ImageTooLarge(megabytes=900, limit=500), other=ValueError("Mei"))
    failed, refused = written(tmp_path)
    assert failed["exception"]["code"] == "store.disk_full"
    assert failed["exception"]["cause"]["kind"] == "FileNotFoundError"
    assert failed["exception"]["stack"][0].partition(":")[2].startswith("test_an_error_is_logged")
    assert refused["error"] == {"code": "image.too_large", "megabytes": 900, "limit": 500}
    assert refused["other"] == "ValueError"
    assert "mei" not in (tmp_path / "agent.log").read_text().lower()


def test_errors_that_cause_each_other_are_told_once() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first  # as a database's driver and its wrapper may leave them
    assert described(first) == {"kind": "ValueError", "stack": [], "cause": {"kind": "KeyError", "stack": []}}


def test_each_of_several_errors_at_once_is_logged(tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path)
    try:
        raise ExceptionGroup("tasks", [OSError("/home/mei/a.jpg"), ExceptionGroup("more", [StoreDiskFull()])])
    except ExceptionGroup:
        structlog.get_logger("agent.x").exception("core.failed")
    (failed,) = written(tmp_path)
    first, second = failed["exception"]["errors"]
    assert (first["kind"], second["errors"][0]["code"]) == ("OSError", "store.disk_full")
    assert "mei" not in (tmp_path / "agent.log").read_text().lower()


def test_third_parties_are_logged_from_warning_on_and_without_their_facts(tmp_path: Path) -> None:
    logs.configure(LogSettings(level="debug"), tmp_path)
    for name in ("watchdog.observers", "sqlalchemy.engine", "uvicorn.access", "asyncio"):
        logging.getLogger(name).debug("at %s", "/home/mei")
        logging.getLogger(name).info("at %s", "/home/mei")
    logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool-1", OSError("/home/mei"))  # says nothing without them
    logging.getLogger("watchdog.observers").warning("Cannot read %r at '/home/mei' or /home/mei/a.jpg: %s", "Mei", OSError("Mei"))
    (line,) = written(tmp_path)
    assert line["event"] == "Cannot read %r at … or … %s"
    assert line["level"] == "warning"


def test_the_level_can_change_while_it_runs(tmp_path: Path) -> None:
    logs.configure(LogSettings(level="warning"), tmp_path)
    log = structlog.get_logger("agent.x")
    log.info("one")
    logs.configure(LogSettings(level="debug"), tmp_path)
    log.debug("two")
    assert [line["event"] for line in written(tmp_path)] == ["two"]


@pytest.mark.parametrize("files", [1, 2])
def test_size_and_number_of_files_are_capped(tmp_path: Path, files: int) -> None:
    logs.configure(LogSettings(max_mb=1, files=files), tmp_path)
    log = structlog.get_logger("agent.x")
    lines = 12 * files + 1
    for number in range(1, lines + 1):
        log.info("x", number=number, digits=[10**400] * 250)  # 100 KB; a long text would be searched for paths
    last = written(tmp_path)[-1]
    assert last["number"] == lines
    kept = list(tmp_path.iterdir())
    assert len(kept) == files
    assert all(file.stat().st_size <= 2**20 for file in kept)


def test_a_log_that_another_program_reads_loses_no_line_and_no_older_file(tmp_path: Path) -> None:
    def write(numbers: range) -> None:
        logs.configure(LogSettings(max_mb=1, files=3), tmp_path)
        for number in numbers:
            structlog.get_logger("agent.x").info("x", number=number, digits=[10**400] * 250)  # 100 KB
        logs.stop()

    write(range(25))
    with (tmp_path / "agent.log").open("rb"):  # Windows renames no file that is open elsewhere
        write(range(25, 40))
    write(range(40, 42))
    files = [tmp_path / name for name in ("agent.log.2", "agent.log.1", "agent.log")]
    found = [json.loads(line)["number"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert found == list(range(42))[-len(found) :] and len(found) > 20
    assert sum(file.stat().st_size > 2**20 for file in files) <= 1


def test_lines_that_do_not_fit_the_queue_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_QUEUE", 5)
    monkeypatch.setattr(logs._Listener, "start", lambda self: None)
    logs.configure(LogSettings(), tmp_path)
    for _ in range(8):
        structlog.get_logger("agent.x").info("x")
    entry, logs._Running.listener = logs._Running.entry, None
    assert entry is not None
    assert entry.dropped == 3


@pytest.mark.parametrize("mended", [True, False])
def test_a_full_disk_costs_lines_and_nothing_else(mended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = logs._Entry(queue.Queue())
    file = logs._File(tmp_path / "agent.log", 1000, 1, entry)
    if not mended:
        monkeypatch.setattr(file, "_whole", lambda: False)  # that needs the disk, too

    class Full:
        """A stream on a full disk: half a line, then no more."""

        def __init__(self) -> None:
            self.real = (tmp_path / "agent.log").open("a", encoding="utf-8")

        def write(self, text: str) -> None:
            self.real.write(text[:5])
            raise OSError(28, "No space left on device")

        def seek(self, *_: int) -> None: ...

        def tell(self) -> int:
            return 0

        def flush(self) -> None:
            self.real.flush()

        def close(self) -> None:
            self.real.close()

    def record(event: str) -> logging.LogRecord:
        return logging.makeLogRecord({"levelname": "INFO", "msg": {"event": event}})

    file.emit(record("first"))
    file.close()
    file.stream = Full()  # type: ignore[assignment]
    file.emit(record("lost"))
    assert entry.dropped == 1
    file.emit(record("kept"))
    file.close()
    first, *torn, dropped, kept = (tmp_path / "agent.log").read_text().splitlines()
    assert [len(each) for each in torn] == ([] if mended else [5])
    assert json.loads(first)["event"] == "first"
    assert json.loads(dropped)["lines"] == 1
    assert json.loads(kept)["event"] == "kept"


def test_a_fault_that_repeats_is_written_a_few_times_and_counted(tmp_path: Path) -> None:
    logs.configure(LogSettings(), tmp_path)
    for number in range(300):
        structlog.get_logger("agent.x").warning("socket.refused", code="api.full")
        logging.getLogger("asyncio").error("socket.accept() out of system resource", exc_info=OSError(24, "of /home/mei"))
        structlog.get_logger("agent.x").warning("job.failed", job=number)
    lines = written(tmp_path)
    told = Counter(line["event"] for line in lines)
    assert (told["socket.refused"], told["socket.accept() out of system resource"], told["job.failed"]) == (5, 5, 300)
    assert sum(line["lines"] for line in lines if line["event"] == "log.repeated") == 2 * 295


def test_stopping_twice_or_without_a_log_does_nothing() -> None:
    logs.stop()
    logs.stop()


def test_standard_output_instead_of_the_file_where_it_is_offered(tmp_path: Path) -> None:
    out = io.StringIO()
    logs.configure(LogSettings(target=LogTarget.STDOUT), tmp_path / "logs", file="server.log", stdout=out)
    for _ in range(7):
        structlog.get_logger("agent.x").warning("again", number=1)
    logs.stop()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["again"] * 5 + ["log.repeated"]
    assert {line["process"] for line in lines} == {"server"}
    assert not (tmp_path / "logs").exists()


def test_a_command_writes_its_file_whatever_the_target_is(tmp_path: Path) -> None:
    logs.configure(LogSettings(target=LogTarget.STDOUT), tmp_path)
    structlog.get_logger().info("x")
    assert [line["event"] for line in written(tmp_path)] == ["x"]


def test_standard_output_that_is_closed_costs_lines_only(tmp_path: Path) -> None:
    out = io.StringIO()
    logs.configure(LogSettings(target=LogTarget.STDOUT), tmp_path, stdout=out)
    out.close()
    structlog.get_logger().info("x")
    logs.stop()


def test_a_route_of_the_api_is_no_path() -> None:
    assert guard(None, "", {"route": "/api/uploads/{upload_id}"}) == {"route": "/api/uploads/{upload_id}"}


@pytest.mark.parametrize("facts", [{"route": "/home/mei/a.jpg"}, {"route": "/api/Mei Lin"}, {"where": "/api/uploads"}])
def test_nothing_else_passes_as_a_route(facts: dict[str, str]) -> None:
    assert guard(None, "", dict(facts))["withheld"] == list(facts)
