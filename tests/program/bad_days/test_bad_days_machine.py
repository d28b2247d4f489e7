"""A machine's bad days: its clock leaps, it sleeps, others hold the library or share the home, it watches no more folders."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from PIL import Image

from agent.app.library_home import home_of_key
from agent.domain.errors import NotRunning
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.open_library import DATABASE_FILE
from agent.interfaces.web.runtime_file import RuntimeInfo, find

if TYPE_CHECKING:
    from tests.support.process_fixtures import WallClock
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(300)]
Photo = Callable[[int], Image.Image]


def drop(program: "RealProgram", photo: Photo, numbers: range) -> None:
    for number in numbers:
        photo(number).save(program.watched / f"{number}.jpg")


def faces(program: "RealProgram") -> dict[str, int]:
    return {name: len(image.faces) for name, image in program.images().items()}


def logged(program: "RealProgram") -> list[str]:
    return [json.loads(line)["event"] for line in (program.paths.logs / "agent.log").read_text().splitlines()]


# -- time ------------------------------------------------------------------------------------------------------------------------


LEAPS = (timedelta(hours=-2), timedelta(days=-400), timedelta(days=400))  # off the right time: back, further back, ahead


def test_a_clock_that_leaps_loses_and_blames_nothing(program: "RealProgram", photo: Photo, wall_clock: "WallClock") -> None:
    program.start(before=wall_clock.before)
    drop(program, photo, range(3))
    program.settled(3)
    with program.api() as api:
        assert api.post("/quiet", json={"minutes": 60}).status_code == 204

    photos = 3
    for leap in LEAPS:
        drop(program, photo, range(photos, photos + 5))
        wall_clock.leap(leap)
        drop(program, photo, range(photos + 5, photos + 9))
        photos += 9
        program.post("/api/rescan")
        status = program.settled(photos)
        assert status.problem is None
        assert (status.quiet_until is not None) == (leap < timedelta()), "no longer quiet than was asked for"
        assert faces(program) == {f"{number}.jpg": 1 + number % 2 for number in range(photos)}
        assert "job.failed" not in logged(program)
        assert program.run("backup", "create").returncode == 0


@pytest.mark.parametrize("who", ["everything", "the agent alone"])
def test_a_computer_that_sleeps_in_the_middle_of_work_goes_on_when_it_wakes(program: "RealProgram", photo: Photo, who: str) -> None:
    limit_s = 3
    program.file.set("engine.time_limit_s", str(limit_s * 3))  # whatever a slow machine takes for its first photo
    program.start()
    drop(program, photo, range(2))
    program.settled(2)
    program.file.set("engine.time_limit_s", str(limit_s))

    drop(program, photo, range(2, 30))
    program.until(lambda status: status.queued > 5)
    assert program.process is not None
    agent = psutil.Process(program.process.pid)
    asleep = [agent, *(program.children() if who == "everything" else [])]
    for process in asleep:
        process.suspend()
    photo(30).save(program.watched / "30.jpg")
    time.sleep(limit_s + 0.5)  # longer than any photo may take
    for process in asleep:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()

    assert program.settled(31).problem is None
    assert faces(program) == {f"{number}.jpg": 1 + number % 2 for number in range(31)}
    assert "job.failed" not in logged(program)


# -- others ----------------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def library_held(program: "RealProgram") -> Iterator[None]:
    """As by another program that writes into it without end."""
    key = LibraryKeys(program.paths.library, home_of_key(program.file.load(), program.paths)).unlock()
    database = Database.in_file(program.paths.library / DATABASE_FILE, key)
    try:
        with database.write():
            yield
    finally:
        database.close()


def test_a_library_that_another_program_holds_is_waited_for(program: "RealProgram", photo: Photo) -> None:
    program.start()
    drop(program, photo, range(2))
    program.settled(2)
    with library_held(program):
        drop(program, photo, range(2, 6))
        status = program.until(lambda status: status.problem is not None)
        assert status.problem is not None
        assert (status.problem.code, status.images) == ("store.busy", 2)
        assert len(program.images()) == 2, "what was found can be looked at"
    assert program.settled(6).problem is None
    assert faces(program) == {f"{number}.jpg": 1 + number % 2 for number in range(6)}

    program.quit()
    with library_held(program):
        refused = program.run("run", "--no-tray")
    assert refused.returncode == 1
    assert "[store.busy]" in refused.stderr
    program.start()
    assert program.settled(6).problem is None


class Login:
    """A user's session on this machine, as the system makes it: a home, and a runtime folder of its own."""

    def __init__(self, home: Path, runtime: Path, environment: Mapping[str, str]) -> None:
        for folder in (home, runtime):
            folder.mkdir(mode=0o700, exist_ok=True)
        inherited = {name: value for name, value in environment.items() if name not in ("AI_POPUP_HOME",) and not name.startswith("XDG_")}
        own = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "AI_POPUP__LIBRARY__KEY_HOME": "file"}
        self.environment = {**inherited, **own}
        self.runtime = runtime / "ai-popup"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "agent", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*words), env=self.environment, capture_output=True, text=True, timeout=100, check=False)

    @contextlib.contextmanager
    def running(self) -> Iterator[RuntimeInfo]:
        none = subprocess.DEVNULL
        with subprocess.Popen(self.command("run", "--no-tray"), env=self.environment, stdin=none, stdout=none, stderr=none) as process:
            try:
                deadline = time.monotonic() + 60
                while True:
                    assert process.poll() is None and time.monotonic() < deadline
                    with contextlib.suppress(NotRunning):
                        yield find(self.runtime)
                        break
                    time.sleep(0.05)
            finally:
                process.terminate()


def test_two_users_on_one_machine_never_meet(program: "RealProgram", tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    first, second = (Login(tmp_path / f"home-{name}", tmp_path / f"run-{name}", program.environment) for name in "ab")
    with first.running() as one, second.running() as other:
        assert (one.port, one.token) != (other.port, other.token)
        for where, token, code in ((one, one.token, 200), (one, other.token, 401), (other, one.token, 401), (one, "wrong", 401)):
            address = f"http://127.0.0.1:{where.port}/api/status"
            assert httpx.get(address, headers={"authorization": f"Bearer {token}"}, trust_env=False).status_code == code
        for login in (first, second):
            assert login.runtime.stat().st_mode & 0o077 == 0
            assert (login.runtime / "agent.json").stat().st_mode & 0o077 == 0
            assert login.run("status").returncode == 0
    keys = [path for login in (first, second) for path in Path(login.environment["HOME"]).rglob("*.key")]
    assert len({path.stem for path in keys}) == len({path.read_bytes() for path in keys}) == 2, "each library has its own key and entry"

    with first.running() as one:
        second.environment["AI_POPUP__API__PORT"] = str(one.port)
        refused = second.run("run", "--no-tray")
    assert (refused.returncode, "[settings.invalid]" in refused.stderr) == (1, True)


def test_a_home_that_is_used_twice_at_once_has_one_agent(program: "RealProgram", tmp_path: Path) -> None:
    """As over ssh beside the desktop, or on two computers that mount it: the runtime folders differ."""
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    here, there = (Login(tmp_path / "one-home", tmp_path / f"run-{name}", program.environment) for name in "ab")
    with here.running() as where:
        second = there.run("run", "--no-tray")
        assert "already running" in second.stderr
        assert not (there.runtime / "agent.json").exists()
        assert find(here.runtime) == where
        assert here.run("status").returncode == 0
    assert here.run("status").returncode == 1
    with there.running():
        assert there.run("status").returncode == 0


# -- watches ---------------------------------------------------------------------------------------------------------------------

FEW_WATCHES = 'echo 4 > /proc/sys/user/max_inotify_watches && exec "$0" "$@"'
# Where no namespace may be made: the system's call, that says so.
REFUSED = """
import ctypes, errno
from watchdog.observers import inotify_c
calls = 0
real = inotify_c.inotify_add_watch
def limited(*arguments):
    global calls
    calls += 1
    if calls > 4:
        ctypes.set_errno(errno.ENOSPC)
        return -1
    return real(*arguments)
inotify_c.inotify_add_watch = limited
"""


def few_watches(bend: Callable[[str], list[str]]) -> list[str]:
    """In a namespace of its own, so that other programs keep their watches."""
    own = ["unshare", "--user", "--map-root-user", "sh", "-c", FEW_WATCHES]
    if shutil.which("unshare") and not subprocess.run([*own, "true"], capture_output=True, check=False).returncode:
        return own
    return bend(REFUSED)


def test_without_watches_left_a_folder_is_looked_through_instead(
    program: "RealProgram", photo: Photo, bend: Callable[[str], list[str]]
) -> None:
    if sys.platform != "linux":
        pytest.skip("needs Linux")
    for number in range(8):
        (program.watched / str(number)).mkdir()
        photo(number).save(program.watched / str(number) / "photo.jpg")
    program.start(before=few_watches(bend))
    status = program.settled(8)
    assert [folder.problem.code for folder in status.folders if folder.problem] == ["source.limit"]

    for number in range(8, 12):
        (program.watched / str(number)).mkdir()
        photo(number).save(program.watched / str(number) / "photo.jpg")
    program.post("/api/rescan")  # what is done every minute by itself
    program.settled(12)

    program.quit()
    program.start()
    assert not any(folder.problem for folder in program.settled(12).folders)
