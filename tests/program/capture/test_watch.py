"""`ai-popup watch` on a real screen: a face that appears is said once, nothing is kept, and off means off."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.desktop.capture.schemas import WatchOut
from tests.support.image_window import shown
from tests.support.real_program import WAIT_S, RealProgram

QUICK = {"watch_screen.interval_s": "1"}


def watched(program: RealProgram, done: Callable[[WatchOut], bool]) -> WatchOut:
    """What is said of watching once it is so."""
    deadline = time.monotonic() + WAIT_S
    now: WatchOut | None = None
    while time.monotonic() < deadline:
        with program.client() as client:
            now = client.call("GET", "/api/watch", WatchOut)
        if done(now):
            return now
        time.sleep(0.1)
    pytest.fail(f"{now!r}")


def files(home: Path) -> dict[Path, int]:
    """What lies in a home, but for what was written of the run itself, with its size."""
    return {each.relative_to(home): each.stat().st_size for each in home.rglob("*") if each.is_file() and "logs" not in each.parts}


def test_a_face_that_appears_is_said_once_and_nothing_of_it_is_kept(
    program_with_display: RealProgram, x_display: str, samples_folder: Path
) -> None:
    program = program_with_display
    for key, value in QUICK.items():
        program.file.set(key, value)
    program.start()
    assert program.children("screen-worker") == [] and "The screen is not watched." in program.run("watch", "status").stdout
    done = program.run("watch", "on")
    assert done.returncode == 0 and "The screen is now watched" in done.stdout, done.stderr
    watched(program, lambda now: now.state == "on")
    [engine] = program.children("screen-worker")
    before = files(program.home)
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        [said] = watched(program, lambda now: bool(now.said)).said
        assert (said.kind, said.text, said.person_id) == ("new_face", "A new face appeared on the screen.", None)
        with shown(x_display, samples_folder / "biden.jpg", 800, 100, 213, 320):
            assert [each.kind for each in watched(program, lambda now: len(now.said) > 1).said] == ["new_face", "new_face"]
    assert program.status().watch_said == 2 and program.status().images == 0
    assert {path for path, size in files(program.home).items() if size > before.get(path, 0) + 100_000} == set()
    with program.library() as library:
        assert not library.events(after=0, limit=9)
    assert program.run("watch", "pause", "5").returncode == 0
    assert watched(program, lambda now: now.state == "snoozed").until is not None
    assert program.run("watch", "snooze", "--end").returncode == 0
    watched(program, lambda now: now.state == "on")
    assert program.run("watch", "off").returncode == 0
    watched(program, lambda now: now.state == "off")
    engine.wait(WAIT_S)
    assert program.children("screen-worker") == []


@pytest.mark.timeout(300)
def test_somebody_is_named_only_while_they_agree_to_it(program_with_display: RealProgram, x_display: str, samples_folder: Path) -> None:
    program = program_with_display
    for key, value in {**QUICK, "recognition.enabled": "true", "watch_screen.enabled": "true"}.items():
        program.file.set(key, value)
    for name in ("obama.jpg", "obama2.jpg"):
        shutil.copy(samples_folder / name, program.watched)
    program.start()
    program.settled(2)
    with program.api() as api:
        for image in program.images().values():
            assert api.post("/people", json={"face_id": image.faces[0].id, "name": "Mei"}).status_code == 200
    with shown(x_display, samples_folder / "obama.jpg", 100, 50, 427, 640):
        assert {said.kind for said in watched(program, lambda now: bool(now.said)).said} == {"new_face"}
        assert program.run("watch", "allow", "Mei").returncode == 0
        said = watched(program, lambda now: any(each.kind == "person" for each in now.said)).said
        assert "Mei is on the screen." in {each.text for each in said}
        assert "Mei is on the screen." in program.run("watch", "status").stdout
        assert program.run("watch", "forbid", "Mei").returncode == 0
        said = watched(program, lambda now: all(each.person_id is None for each in now.said)).said
        assert "A person is on the screen." in {each.text for each in said}
    assert "May be named" not in program.run("people", "show", "Mei").stdout


def test_it_rests_with_all_other_work_and_tells_why_it_can_not_watch(program_with_display: RealProgram) -> None:
    program = program_with_display
    program.file.set("watch_screen.screens", '["7"]')
    assert "starts next" in program.run("watch", "on").stdout
    program.start()
    failed = watched(program, lambda now: now.state == "failed")
    assert failed.problem is not None and failed.problem.code == "capture.no_monitor"
    program.post("/api/pause")
    watched(program, lambda now: now.state == "paused")
    said = json.loads(program.run("watch", "status", "--json").stdout)
    assert (said["state"], said["said"], said["problem"]) == ("paused", [], None)
    assert "Watching is paused." in program.run("status").stdout


def test_without_a_screen_it_is_refused(program: RealProgram) -> None:
    alone = program.run("watch", "on")
    program.environment["DISPLAY"] = ":987"  # nothing answers there
    silent = program.run("watch", "on")
    del program.environment["DISPLAY"]
    program.start()
    asked = program.run("watch", "on")
    for said in (alone, silent, asked):
        assert said.returncode == 1 and "[capture.no_screen]" in said.stderr and said.stdout == ""
    assert not program.file.load().watch_screen.enabled and program.status().watch == "off"
    assert program.run("watch", "off").returncode == 0


def test_on_wayland_it_is_refused(program: RealProgram) -> None:
    program.environment["WAYLAND_DISPLAY"] = "wayland-9"
    alone = program.run("watch", "on")
    program.start()
    asked = program.run("watch", "on")
    for said in (alone, asked):
        assert said.returncode == 1 and "[capture.watch_unavailable]" in said.stderr
    assert not program.file.load().watch_screen.enabled and program.status().watch == "off"
