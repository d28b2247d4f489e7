"""`redact` and `restore`: without a running agent and through one."""

from __future__ import annotations

import asyncio
import io
import json
import signal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.domain.errors import ImageTruncated, ImageUnsupported
from agent.features.redaction.schemas import RedactedOut, RedactLine, Restored
from agent.interfaces.web.schemas import Problem
from tests.support.in_process_agent import FakeAnalyser, FakeRenderer
from tests.unit.interfaces.cli.conftest import analyser, cli, running_agent

if TYPE_CHECKING:
    from agent.inference.engine.renderer import Render, Rendered
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent

__all__ = ["analyser", "cli", "running_agent"]  # fixtures


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    for name in ("a.jpg", "trip/图.jpg"):
        (folder / name).write_bytes(Path(name).name.encode())
    return folder


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} if folder.is_dir() else set()


def test_a_folder_of_copies_is_made_and_each_is_told(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    said = cli("redact", str(photos), "-o", str(safe))

    assert said.code == 0
    assert files(safe) == {"a.jpg", "trip/图.jpg"}
    assert f"{photos / 'a.jpg'} → {safe / 'a.jpg'}: 1 face covered\n" in said.out
    assert "2 copies, 2 faces covered." in said.err
    assert "undone" not in said.err


def test_what_was_made_before_stays_and_says_so(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    cli("redact", str(photos), "-o", str(safe))

    said = cli("redact", str(photos), "-o", str(safe))

    assert said.code == 0 and files(safe) == {"a.jpg", "trip/图.jpg"}
    assert "1 face covered, already made" in said.out and "2 of them already exist" in said.err


def test_no_face_is_never_said_to_be_safe(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    analyser.faces["a.jpg"] = 0

    said = cli("redact", str(photos / "a.jpg"), "-o", str(safe))

    assert said.code == 0 and files(safe) == {"a.jpg"}
    assert f"{safe / 'a.jpg'}: review before sharing (no face found, which doesn’t prove that there is none)" in said.err
    assert "Review 1 copy" in said.err


@pytest.mark.parametrize(("style", "weak"), [("solid", False), ("emoji", False), ("mosaic", True), ("blur", True)])
def test_what_can_be_undone_is_said_to_be(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path, style: str, weak: bool
) -> None:
    said = cli("redact", str(photos / "a.jpg"), "-o", str(safe), "--style", style)
    assert ("can be partly undone; solid can’t" in said.err) == weak


def test_a_bad_file_fails_the_command_and_not_the_others(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    analyser.errors[str(photos / "a.jpg")] = [ImageTruncated()]

    said = cli("redact", str(photos), "-o", str(safe))

    assert said.code == 1 and files(safe) == {"trip/图.jpg"}
    assert "[image.truncated]" in said.err and "1 file got no copy" in said.err


def test_json_tells_each_copy_whole(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    said = cli("redact", str(photos / "a.jpg"), "-o", str(safe / "b.png"), "--strip-metadata", "--report", "--json")

    [line] = map(json.loads, said.out.splitlines())
    copy = (safe / "b.png").read_bytes()
    assert (line["source"], line["target"], line["state"]) == (str(photos / "a.jpg"), str(safe / "b.png"), "done")
    assert (line["found"], line["covered"], line["doubts"], line["removed"], line["error"]) == (1, 1, [], ["exif", "gps"], None)
    assert (line["sha256"], line["copy_sha256"]) == (sha256(b"a.jpg").hexdigest(), sha256(copy).hexdigest())
    assert json.loads((safe / "b.png.redaction.json").read_text(encoding="utf-8"))["copy_sha256"] == line["copy_sha256"]


def test_originals_give_way_only_when_that_is_said_and_come_back_if_they_were_kept(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path
) -> None:
    refused = cli("redact", str(photos), "-o", str(photos))
    assert refused.code == 1 and "[redact.same_file]" in refused.err
    assert (photos / "a.jpg").read_bytes() == b"a.jpg"

    said = cli("redact", str(photos), "--in-place", "--keep-original")
    assert said.code == 0 and "The originals are replaced" in said.err
    assert (photos / "a.jpg").read_bytes().startswith(b"1 covered")

    back = cli("restore", str(photos / "a.jpg"))
    assert (back.code, back.out) == (0, f"{photos / 'a restored.jpg'}\n")
    assert (photos / "a restored.jpg").read_bytes() == b"a.jpg"
    assert "can’t be recovered" in cli("redact", str(photos / "trip"), "--in-place", "--overwrite", "--yes").err


def test_originals_that_cannot_be_had_back_are_asked_about(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unasked = cli("redact", str(photos), "--in-place")
    assert unasked.code == 2 and "--yes" in unasked.err and "The originals can’t be recovered" in unasked.err

    monkeypatch.setattr("agent.interfaces.cli.confirm.can_ask", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    declined = cli("redact", str(photos), "--in-place")
    assert declined.code == 1 and "Nothing was changed" in declined.err
    assert (photos / "a.jpg").read_bytes() == b"a.jpg"

    assert cli("redact", str(photos), "--in-place", "--yes").code == 0
    assert (photos / "a.jpg").read_bytes().startswith(b"1 covered")


def test_a_dry_run_says_where_copies_would_go_and_makes_none(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    cli("redact", str(photos / "a.jpg"), "-o", str(safe))

    said = cli("redact", str(photos), "-o", str(safe), "--dry-run")
    asked = cli("redact", str(photos), "--in-place", "--dry-run", "--json")

    assert said.code == 0 and files(safe) == {"a.jpg"} and len(analyser.tasks) == 1
    assert said.out.splitlines() == [
        f"{photos / 'a.jpg'} → {safe / 'a.jpg'}: already made",
        f"{photos / 'trip/图.jpg'} → {safe / 'trip/图.jpg'}",
    ]
    assert "1 copy would be made." in said.err
    assert asked.code == 0, "what changes nothing is not asked about"
    assert [json.loads(line)["target"] for line in asked.out.splitlines()] == [str(photos / "a.jpg"), str(photos / "trip/图.jpg")]
    assert (photos / "a.jpg").read_bytes() == b"a.jpg"


def test_a_passphrase_is_read_unseen(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    typed("right horse battery\n")
    cli("redact", str(photos / "a.jpg"), "-o", str(safe), "--restorable", "--passphrase")
    assert files(safe) == {"a.jpg", "a.jpg.aipopup"}
    typed("wrong\n")
    wrong = cli("restore", str(safe / "a.jpg"), "--passphrase")
    assert wrong.code == 1 and "[redact.wrong_key]" in wrong.err
    typed("right horse battery\n")
    back = cli("restore", str(safe / "a.jpg"), "--passphrase", "-o", str(safe / "back.png"))
    assert back.code == 0 and (safe / "back.png").read_bytes() == b"restored 1"
    typed("")
    assert cli("restore", str(safe / "a.jpg"), "--passphrase").code == 2


def test_what_a_kept_file_takes_is_said(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("right horse battery\nwrong horse battery\nwrong horse battery\n"))
    cli("redact", str(photos / "a.jpg"), "-o", str(safe), "--restorable", "--passphrase")
    without = cli("restore", str(safe / "a.jpg"))
    assert without.code == 1 and "none was given" in without.err and "--passphrase" in without.err and "[redact.wrong_key]" in without.err
    wrong = cli("restore", str(safe / "a.jpg"), "--passphrase")
    assert wrong.code == 1 and "The passphrase is wrong." in wrong.err
    cli("redact", str(photos / "trip" / "图.jpg"), "-o", str(safe), "--restorable")
    needless = cli("restore", str(safe / "图.jpg"), "--passphrase")
    assert needless.code == 1 and "without `--passphrase`" in needless.err


@pytest.mark.parametrize("passphrase", ["a", "eleven-char", "a" * 40, "口令口令口", " " * 20])
def test_a_passphrase_that_is_soon_guessed_is_refused_before_anything_is_made(
    cli: CommandLine, photos: Path, safe: Path, monkeypatch: pytest.MonkeyPatch, passphrase: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{passphrase}\n"))
    said = cli("redact", str(photos / "a.jpg"), "-o", str(safe), "--restorable", "--passphrase")
    assert said.code == 1 and "at least 12 characters" in said.err and "[redact.passphrase_weak]" in said.err
    assert files(safe) == set()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-o", "x", "--in-place"],
        ["-o", "x", "--keep", "a", "--only", "b"],
        ["-o", "x", "--restorable", "--keep-original"],
        ["-o", "x", "--passphrase"],
    ],
)
def test_what_does_not_go_together_is_refused(cli: CommandLine, photos: Path, words: list[str]) -> None:
    assert cli("redact", str(photos), *words).code == 2


def test_one_file_is_no_place_for_several_copies(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    several = [str(photos / "a.jpg"), str(photos / "trip/图.jpg")]
    for inputs, out in ((several, "x.jpg"), ([str(photos)], "x.png"), (several, "x.mp4")):
        said = cli("redact", *inputs, "-o", str(safe / out))
        assert said.code == 2 and "names one file" in said.err
    assert not safe.exists()
    assert cli("redact", *several, "-o", str(safe / "x.jpg") + "/").code == 0, "what ends as a folder is one"


def test_wrong_words_are_told_what_is_meant(cli: CommandLine, analyser: FakeAnalyser, photos: Path) -> None:
    assert "`-o` and `--in-place` can’t be combined" in cli("redact", str(photos), "-o", "x", "--in-place").err
    assert "Choose where the copies go" in cli("redact", str(photos)).err
    nobody = cli("redact", str(photos), "-o", "x", "--keep", "")
    assert nobody.code == 2 and "need a name" in nobody.err
    off = cli("redact", str(photos), "-o", "x", "--keep", "Mei")
    assert "faces can’t be covered or left visible" in off.err and "Cover everyone" in off.err


def test_a_video_that_is_scanned_is_told_what_reads_it(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"video")
    analyser.errors[str(clip)] = [ImageUnsupported()]

    said = cli("scan", str(clip))

    assert said.code == 1 and "only photos are scanned" in said.err and "`ai-popup redact VIDEO -o FOLDER`" in said.err


def test_names_without_recognition_are_refused_before_a_model_is_fetched_for_them(
    cli: CommandLine, photos: Path, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.app.in_process.fetch_missing", lambda *_, **__: pytest.fail("it is fetched"))
    said = cli("redact", str(photos), "-o", str(safe), "--keep", "Mei")
    assert said.code == 1 and "[people.recognition_off]" in said.err and "without `--keep` and `--only`" in said.err


def test_names_are_those_of_known_people(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    cli.paths.settings.write_text('[library]\nkey_home = "file"\n[recognition]\nenabled = true\n')
    said = cli("redact", str(photos), "-o", str(safe), "--keep", "Mei")
    assert said.code == 1 and "[people.no_such_name]" in said.err
    assert files(safe) == set()


def test_a_running_agent_makes_the_copies(cli: CommandLine, running_agent: FakeAgent, photos: Path, safe: Path) -> None:
    stopped = Problem(code="store.disk_full", cause="The disk is full.", remedy="Make room.")
    lines = [RedactLine(total=2), RedactLine(stopped=stopped)]
    running_agent.answers["/api/redact"] = httpx.Response(200, text="".join(line.model_dump_json() + "\n" for line in lines))
    running_agent.answers["/api/restore"] = httpx.Response(200, text=Restored(path="/back.png").model_dump_json())

    said = cli("redact", str(photos), "-o", str(safe))

    assert running_agent.asked == ["POST /api/redact"]
    assert said.code == 1 and "The disk is full. Make room. [store.disk_full]" in said.err
    assert cli("restore", str(safe / "a.jpg")).out == "/back.png\n"


def test_ctrl_c_stops_what_was_not_begun(
    cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = FakeRenderer.render

    async def interrupted(self: FakeRenderer, task: Render) -> Rendered:
        if task.path.endswith("图.jpg"):
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)  # a copy that is as good as made may be finished
        return await render(self, task)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs in the background begins deaf to it
    try:
        with monkeypatch.context() as patch:
            patch.setattr(FakeRenderer, "render", interrupted)
            said = cli("redact", str(photos), "-o", str(safe))
    finally:
        signal.signal(signal.SIGINT, before)
    assert said.code == 130 and "Traceback" not in said.err
    assert files(safe) <= {"a.jpg"}

    assert cli("scan", str(photos)).code == 0
    assert files(safe) <= {"a.jpg"}, "the next one does not go on with what the user stopped"


def test_copies_are_reviewed_in_the_browser(
    cli: CommandLine, running_agent: FakeAgent, photos: Path, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def open_in_browser(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("agent.desktop.system.external_apps.open_in_browser", open_in_browser)
    item = RedactedOut.model_validate(
        {"id": 1, "batch": "ab12", "source": "/a.jpg", "target": "/b.jpg", "state": "done", "at": "2026-01-01T00:00:00Z"}
        | dict.fromkeys(("clip", "passed", "edited", "editable"), False)
        | dict.fromkeys(("found", "covered"), 1)
        | dict.fromkeys(("width", "height", "sha256", "copy_sha256", "error"))
        | dict.fromkeys(("doubts", "removed"), ())
    )
    lines = [RedactLine(total=1), RedactLine(item=item)]
    running_agent.answers["/api/redact"] = httpx.Response(200, text="".join(line.model_dump_json() + "\n" for line in lines))
    running_agent.answers["/api/session/codes"] = httpx.Response(200, json={"code": "once"})

    assert cli("redact", str(photos), "-o", str(safe), "--review").code == 0
    [url] = opened
    assert "covers/ab12" in url.replace("%2F", "/")


def test_without_a_running_agent_the_review_is_for_later(cli: CommandLine, analyser: FakeAnalyser, photos: Path, safe: Path) -> None:
    said = cli("redact", str(photos), "-o", str(safe), "--review")
    assert said.code == 0 and "ai-popup open covers" in said.err
