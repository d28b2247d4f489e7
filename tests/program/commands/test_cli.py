"""The real program as a process: from a dropped photo to its end, whichever way it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from agent.domain.errors import NotRunning

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram


def drop(program: RealProgram, samples: Path, *names: str) -> None:
    for name in names:
        shutil.copyfile(samples / name, program.watched / name)


@pytest.mark.smoke
def test_dropped_photos_are_indexed_while_scans_and_second_starts_come_and_go(
    program: RealProgram, samples_folder: Path, tmp_path: Path
) -> None:
    program.start()
    drop(program, samples_folder, "obama.jpg", "biden.jpg")
    (program.watched / "broken.jpg").write_bytes(b"no picture")
    status = program.settled(2, failed=1)
    assert (status.faces, status.recognition) == (2, False)

    said = program.run("status")
    assert said.returncode == 0 and str(program.watched) in said.stdout and "1 file could not be scanned" in said.stdout

    elsewhere = tmp_path / "elsewhere.jpg"
    shutil.copyfile(samples_folder / "obama2.jpg", elsewhere)
    said = program.run("scan", "--json", "--embeddings", str(elsewhere), str(program.watched))
    lines = {line["path"]: line for line in map(json.loads, said.stdout.splitlines())}
    assert said.returncode == 1 and len(lines) == 4
    (face,) = lines[str(elsewhere)]["faces"]
    assert len(face["box"]) == 4 and len(face["landmarks"]) == 5 and abs(sum(each * each for each in face["embedding"]) - 1) < 1e-3
    assert lines[str(program.watched / "broken.jpg")]["error"]["code"].startswith("image.")

    said = program.run("run")
    assert said.returncode == 0 and "already running" in said.stderr

    said = program.run("open", "--print")
    assert said.returncode == 0 and said.stdout.startswith("http://127.0.0.1:") and "/#code=" in said.stdout


@pytest.mark.parametrize("way", ["quit", pytest.param("term", marks=pytest.mark.skipif(os.name != "posix", reason="a signal"))])
def test_it_ends_with_every_process_it_started_and_gives_back_what_was_under_way(
    program: RealProgram, samples_folder: Path, way: str
) -> None:
    program.start()
    drop(program, samples_folder, "obama.jpg")
    program.settled(1)
    drop(program, samples_folder, "biden.jpg", "obama2.jpg", "obama3.jpg")
    program.until(lambda status: status.queued > 0 or status.images > 1)
    children = program.children()
    assert children and program.process is not None
    if way == "quit":
        assert program.run("quit").returncode == 0
    else:
        os.kill(program.process.pid, signal.SIGTERM)
    assert program.process.wait(60) == 0
    assert psutil.wait_procs(children, timeout=60)[1] == []
    with pytest.raises(NotRunning):
        program.status()
    program.start()
    program.settled(4)


def test_the_file_of_settings_is_followed_while_it_runs(program: RealProgram, samples_folder: Path, tmp_path: Path) -> None:
    program.start()
    program.until(lambda status: len(status.folders) == 1)
    second = tmp_path / "second"
    second.mkdir()
    text = program.paths.settings.read_text()
    program.paths.settings.write_text(text + f"\n[[folders]]\npath = '{second}'\n\n[general]\nlanguage = 'zh-CN'\n")
    status = program.until(lambda status: len(status.folders) == 2)
    assert status.language == "zh-CN"
    shutil.copyfile(samples_folder / "biden.jpg", second / "biden.jpg")
    program.settled(1)

    program.paths.settings.write_text(text + "\n[engine]\nworkers = 99\n")
    status = program.until(lambda status: status.state == "attention")
    assert status.problem is not None and status.problem.code == "settings.invalid" and len(status.folders) == 2
    program.paths.settings.write_text(text)
    program.until(lambda status: status.state == "idle" and len(status.folders) == 1)


def test_folders_and_problems_are_managed_while_it_runs(program: RealProgram, samples_folder: Path, tmp_path: Path) -> None:
    program.file.set("recognition.enabled", "true")
    program.start()
    drop(program, samples_folder, "obama.jpg")
    (program.watched / "broken.jpg").write_bytes(b"no picture")
    program.settled(1, failed=1)
    listed = program.run("problems", "list")
    assert listed.returncode == 0 and listed.stdout.startswith(f"{program.watched / 'broken.jpg'}: ") and "1 file" in listed.stderr
    shutil.copyfile(samples_folder / "biden.jpg", program.watched / "broken.jpg")
    assert program.run("problems", "retry").returncode == 0
    program.settled(2)
    assert program.run("problems", "list", "--json").stdout == ""

    more = tmp_path / "more"
    more.mkdir()
    shutil.copyfile(samples_folder / "obama2.jpg", more / "obama2.jpg")
    assert program.run("folders", "add", str(more)).returncode == 0
    program.settled(3)
    assert program.run("folders", "list").stdout.splitlines() == [str(program.watched), str(more)]
    assert program.run("find", "--folder", str(more)).stdout == f"{more / 'obama2.jpg'}\n"
    assert program.run("people", "name", str(more / "obama2.jpg"), "Barack").returncode == 0
    assert program.run("find", "-0", "--person", "Barack", "--folder", str(more)).stdout == f"{more / 'obama2.jpg'}\0"
    assert "naming 1 face" in program.run("undo").stdout and program.run("find", "--person", "Barack").returncode == 1
    assert "1 photo would leave" in program.run("folders", "remove", "--dry-run", str(more)).stdout
    assert program.run("folders", "remove", str(more)).returncode == 0
    program.settled(2)


def test_a_scan_leaves_out_what_is_excluded(program: RealProgram, samples_folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "exports").mkdir(parents=True)
    for name in ("obama.jpg", "exports/biden.jpg"):
        shutil.copyfile(samples_folder / Path(name).name, elsewhere / name)
    program.start()
    said = program.run("scan", "--exclude", "exports", str(elsewhere))
    assert said.returncode == 0 and said.stdout == f"{elsewhere / 'obama.jpg'}: 1 face\n"


def test_recognition_switched_on_and_off_while_it_runs(program: RealProgram, samples_folder: Path) -> None:
    program.start()
    drop(program, samples_folder, "obama.jpg", "obama2.jpg", "biden.jpg")
    program.settled(3)
    assert program.run("config", "set", "recognition.enabled", "true").returncode == 0
    program.until(lambda status: status.recognition and status.queued == 0 and status.state == "idle")
    face = program.images()["obama.jpg"].faces[0].id
    with program.client() as client:
        client.post_json("/api/people", {"face_id": face, "name": "Barack"})
    assert program.images()["obama2.jpg"].faces[0].person == "Barack"
    found = program.run("find", "--face", str(samples_folder / "obama3.jpg"))
    assert found.returncode == 0
    assert sorted(found.stdout.split()) == [str(program.watched / name) for name in ("obama.jpg", "obama2.jpg")]
    assert program.run("config", "set", "recognition.enabled", "false", "--yes").returncode == 0
    program.until(lambda status: not status.recognition)
    assert program.images()["obama2.jpg"].faces[0].person is None


def test_nothing_private_is_in_the_log(program: RealProgram, samples_folder: Path) -> None:
    program.start()
    drop(program, samples_folder, "obama.jpg")
    program.settled(1)
    token = json.loads((program.paths.runtime / "agent.json").read_text())["token"]
    if os.name == "posix":
        assert (program.paths.runtime / "agent.json").stat().st_mode & 0o777 == 0o600
    url = program.run("open", "--print").stdout
    program.quit()
    logged = "".join(path.read_text() for path in program.paths.logs.iterdir())
    assert "image.indexed" in logged
    for secret in (token, url.partition("code=")[2].partition("&")[0], "obama", str(program.watched)):
        assert secret not in logged


def test_the_whole_command_line_speaks_the_language_of_the_settings(program: RealProgram) -> None:
    program.file.set("general.language", "zh-CN")
    said = program.run("people", "rename", "X", "")
    assert said.returncode == 2 and "用法：" in said.stderr and "名字不能为空" in said.stderr
    assert "Usage" not in said.stderr and "Invalid" not in said.stderr
    assert "用法：" in program.run("scan", "--help").stdout
    program.file.set("general.language", "en")
    assert "Usage:" in program.run("scan", "--help").stdout
