"""`scan` without a running agent and through one: a line per file in exactly the promised shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.app.in_process import PROGRAM
from agent.domain.errors import EngineStartFailed, ImageCorrupt, ModelUnreachable, StoreDiskFull
from agent.features.library.commands import _Report
from agent.features.library.scan_schemas import ScanLine, Scanned
from agent.features.models.model_store import FetchProgress, ModelStore
from agent.infrastructure.core.paths import AppPaths
from agent.interfaces.cli.session import CommandSession
from tests.support.in_process_agent import FakeAnalyser

if TYPE_CHECKING:
    from agent.features.models.model_store import Progress
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.jpg"):
        (folder / name).write_bytes(name.encode())
    (folder / "notes.txt").write_text("no photo")
    return folder


FACE = {
    "box": [5.0, 5.0, 40.0, 40.0],
    "score": 0.9,
    "landmarks": [[10.0, 10.0], [30.0, 10.0], [20.0, 20.0], [12.0, 30.0], [28.0, 30.0]],
    "quality": {"size": 40.0, "sharpness": 100.0, "yaw": 0.0, "roll": 0.0, "covered": 0.0},
}


def test_json_has_exactly_the_promised_shape(cli: CommandLine, analyser: FakeAnalyser, photos: Path) -> None:
    bad = str(photos / "b.jpg")
    analyser.errors[bad] = [ImageCorrupt()]
    said = cli("scan", "--json", str(photos))
    lines = {line["path"]: line for line in map(json.loads, said.out.splitlines())}
    assert said.code == 1 and set(lines) == {str(photos / "a.jpg"), bad}
    good = lines[str(photos / "a.jpg")]
    assert list(good) == ["path", "uri", "sha256", "width", "height", "faces", "error", "ms"]
    assert (len(good["sha256"]), good["width"], good["height"], good["error"]) == (64, 100, 80, None)
    assert good["faces"] == [FACE] and good["ms"] == {"decode": 1.0, "detect": 2.0, "align": 3.0, "embed": 4.0}
    failed = lines[bad]
    assert (failed["sha256"], failed["width"], failed["height"], failed["faces"], failed["ms"]) == (None, None, None, [], None)
    assert set(failed["error"]) == {"code", "message"} and failed["error"]["code"] == "image.corrupt"
    assert bad in said.err and "[image.corrupt]" in said.err and "1 file could not be scanned" in said.err


def test_embeddings_come_only_when_asked_for(cli: CommandLine, analyser: FakeAnalyser, photos: Path) -> None:
    said = cli("scan", "--json", "--embeddings", str(photos / "a.jpg"))
    assert said.code == 0 and json.loads(said.out)["faces"] == [FACE | {"embedding": [float(ord("a"))]}]
    assert not any(task.keep_chips for task in analyser.tasks if task.recipe.embedder)


def test_a_folder_of_videos_alone_is_told_apart_from_one_without_faces(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.mp4").write_bytes(b"a")
    said = cli("scan", str(tmp_path / "clips"))
    assert said.code == 0 and "Videos aren’t scanned; `ai-popup redact` covers" in said.err


def test_what_matches_a_pattern_is_left_out(cli: CommandLine, analyser: FakeAnalyser, photos: Path) -> None:
    (photos / "exports").mkdir()
    (photos / "exports" / "c.jpg").write_bytes(b"c")
    listed = cli("scan", "--dry-run", str(photos))
    assert listed.code == 0 and len(listed.out.splitlines()) == 3 and "3 files would be scanned." in listed.err and not analyser.tasks
    said = cli("scan", "--exclude", "exports", "--exclude", "B.*", str(photos))
    assert said.out == f"{photos / 'a.jpg'}: 1 face\n"
    assert cli("scan", "--dry-run", "--exclude", "*.jpg", str(photos)).out == ""
    assert cli("scan", "--exclude", "*.jpg", str(photos / "a.jpg")).out != "", "a file that is named is meant"
    assert cli("scan", "--exclude", "", str(photos)).code == 2


def test_in_words_with_a_sum(cli: CommandLine, analyser: FakeAnalyser, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    said = cli("scan", "a.jpg", ".")
    assert said.code == 0 and sorted(said.out.splitlines()) == [f"{photos}/a.jpg: 1 face", f"{photos}/b.jpg: 1 face"]
    assert "2 photos, 2 faces." in said.err and "new encrypted library" in said.err
    assert analyser.closed


def test_on_a_terminal_the_progress_is_told_in_grouped_numbers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    report = _Report(CommandSession(AppPaths.find(), PROGRAM), as_json=True)
    image = Scanned(path="/a.jpg", sha256=None, width=None, height=None, faces=(), error=None, ms=None)
    with report.progress.showing():
        report.take(ScanLine(total=1234))
        report.take(ScanLine(image=image))
    assert "1/1,234" in capsys.readouterr().err


def test_an_engine_that_does_not_start_ends_the_scan_with_its_reason(cli: CommandLine, analyser: FakeAnalyser, photos: Path) -> None:
    analyser.always = EngineStartFailed()
    said = cli("scan", str(photos))
    assert said.code == 1 and "[engine.start_failed]" in said.err


def test_a_library_that_fails_at_the_start_ends_the_scan_with_its_reason(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> int:
        raise StoreDiskFull

    monkeypatch.setattr("agent.features.library.queries.library_queries.LibraryQueries.release_leases", full)
    said = cli("scan", str(photos))
    assert said.code == 1 and "[store.disk_full]" in said.err


def test_a_missing_model_is_named_before_it_is_fetched(cli: CommandLine, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []

    def fetch(self: ModelStore, name: str, progress: Progress | None = None) -> Path:
        fetched.append(name)
        assert progress is not None
        progress(FetchProgress(name, "mirror", 0, 10))
        raise ModelUnreachable(model=name, sources=2)

    monkeypatch.setattr(ModelStore, "fetch", fetch)
    said = cli("scan", str(photos))
    assert said.code == 1 and fetched == ["centerface"]
    assert said.err.index("Downloading centerface (source: mirror") < said.err.index("[model.unreachable]")
    said = cli("models", "fetch", "mobilefacenet")
    assert said.code == 1 and fetched[-1] == "mobilefacenet"


def lines(*items: object) -> httpx.Response:
    return httpx.Response(200, content="".join(json.dumps(item) + "\n" for item in items).encode())


def test_through_the_running_agent(cli: CommandLine, running_agent: FakeAgent, photos: Path) -> None:
    from tests.unit.interfaces.cli.test_main_commands import STATUS

    image: dict[str, object] = {
        "path": "/a.jpg",
        "uri": None,
        "sha256": "0" * 64,
        "width": 1,
        "height": 2,
        "faces": [],
        "error": None,
        "ms": None,
    }
    running_agent.answers["/api/status"] = httpx.Response(200, json=STATUS | {"state": "paused"})
    stopped = {"code": "store.busy", "cause": "It is busy.", "remedy": "Wait."}
    running_agent.answers["/api/scans"] = lines({"total": 1}, {"image": image}, {"stopped": stopped})
    said = cli("scan", "--json", str(photos))
    assert json.loads(said.out) == image
    assert said.code == 1 and "It is busy. Wait. [store.busy]" in said.err and "paused" in said.err
