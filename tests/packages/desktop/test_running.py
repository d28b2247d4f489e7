"""The packages' script runs as root and starts agents again as their users: no user's process gets at root's terminal, files or rights."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux' packages")

SCRIPT = Path(__file__).parents[3] / "installers" / "linux" / "running.sh"

# Stands in for the program that needs root: from here on, all is the user's.
SETPRIV = """#!/bin/sh
(: </dev/tty) 2>/dev/null && echo terminal >>"{said}"
[ "$LD_PRELOAD" ] && echo preload >>"{said}"
for number in 3 4 5 6 7 8 9; do [ ! -e /proc/self/fd/$number ] || echo "file $number" >>"{said}"; done
while [ "$1" != -- ]; do shift; done
shift
echo "$@" >>"{commands}"
exec "$@"
"""
AGENT = """#!/bin/sh
(: </dev/tty) 2>/dev/null && echo terminal >>"{said}"
{{ echo "$@"; env; }} >"{started}.new" && mv "{started}.new" "{started}"
"""
# Python's own calls make entries with a `=` only.
START = """
import ctypes, sys
words, entries = sys.argv[1].split("|"), [each.encode("utf-8", "surrogateescape") for each in sys.argv[2].split("|")]
array = lambda items: (ctypes.c_char_p * (len(items) + 1))(*items, None)
ctypes.CDLL(None).execve(words[0].encode(), array([word.encode() for word in words]), array(entries))
"""


def program(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


class World:
    """A folder with the script's places in it, and programs that stand in for those that need root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kept, self.said, self.started, self.commands = (folder / name for name in ("kept", "said", "started", "commands"))
        self.agent, self.next = folder / "ai-popup", folder / "next"
        names = {"said": self.said, "commands": self.commands, "started": self.started}
        program(folder / "system" / "setpriv", SETPRIV.format(**names))
        program(self.next, AGENT.format(**names))
        program(self.agent, "")
        self.agent.write_bytes(Path("/bin/sh").resolve().read_bytes())

    def run(self, words: str, *, proc: str = "/proc", opened: str = "") -> str:
        """Run the script's functions as a package manager does: on a terminal, with files open. Returns what was shown."""
        text = SCRIPT.read_text(encoding="utf-8")
        for name, value in (("kept", self.kept), ("program", self.agent), ("proc", proc)):
            before = next(line for line in text.splitlines() if line.startswith(f"{name}="))
            text = text.replace(f"\n{before}\n", f"\n{name}='{value}'\n")
        terminal, shown = os.openpty()
        try:
            done = subprocess.run(
                ["/bin/sh", "-ec", f"{text}\n{opened}\n{words}"],
                env={"PATH": f"{self.folder / 'system'}:{os.environ['PATH']}", "SECRET_OF_ROOT": "1"},
                stdin=shown,
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
                start_new_session=True,
                preexec_fn=lambda: _become_terminal(shown),
            )
        finally:
            os.close(terminal)
            os.close(shown)
        return done.stdout

    @contextlib.contextmanager
    def running(self, *entries: str, words: str = "run") -> Iterator[subprocess.Popen[bytes]]:
        """An agent as a user may start it: with whatever they like in its environment."""
        command = "|".join([str(self.agent), "-c", "read line", *words.split(" ")])
        started = subprocess.Popen([sys.executable, "-c", START, command, "|".join(entries)], stdin=subprocess.PIPE)
        try:
            exe = Path(f"/proc/{started.pid}/exe")
            while exe.readlink() != self.agent:
                assert started.poll() is None
            yield started
        finally:
            started.kill()
            started.communicate()

    def environment(self) -> dict[str, str]:
        """The variables of the agent that was started, once it is up."""
        while not self.started.exists():
            pass
        return dict(line.split("=", 1) for line in self.started.read_text(encoding="utf-8").splitlines()[1:])


def _become_terminal(handle: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(handle, termios.TIOCSCTTY, 0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def restart(world: World, *entries: str, words: str = "run") -> str:
    with world.running(*entries, words=words) as agent:
        said = world.run(f"end_agents remember; program='{world.next}'; start_agents", opened="exec 3</dev/tty 5>/dev/null 9</etc/passwd")
        assert agent.wait(10) == -signal.SIGTERM
    assert not world.kept.exists()
    return said


def test_an_agent_is_ended_and_started_again_in_its_session(world: World) -> None:
    said = restart(world, "DISPLAY=:7", "HOME=/home/王 小明", "LANG=zh_CN.UTF-8", "AI_POPUP__LIBRARY__KEY_HOME=file")
    assert said == ""
    told = world.environment()
    assert told["DISPLAY"] == ":7" and told["HOME"] == "/home/王 小明" and told["LANG"] == "zh_CN.UTF-8"
    assert told["AI_POPUP__LIBRARY__KEY_HOME"] == "file"
    assert world.started.read_text(encoding="utf-8").splitlines()[0] == "run"


def test_one_without_a_tray_gets_none(world: World) -> None:
    restart(world, "LANG=C", words="x run --no-tray")
    world.environment()
    assert world.started.read_text(encoding="utf-8").splitlines()[0] == "run --no-tray"


def test_no_process_of_a_users_has_roots_terminal_or_open_files(world: World) -> None:
    restart(world, "LANG=C", "LD_PRELOAD=/tmp/mine.so")
    world.environment()
    assert not world.said.exists(), world.said.read_text()


@pytest.mark.parametrize("entry", ["/tmp/mine", "-u", "--", "-", ""])
def test_an_entry_that_is_no_variable_is_left_out(world: World, entry: str) -> None:
    assert restart(world, entry, "DISPLAY=:7") == ""
    assert world.environment()["DISPLAY"] == ":7"
    commands = world.commands.read_text()
    assert all(command.startswith("/usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin ") for command in commands.splitlines())
    assert "/tmp/mine" not in commands


@pytest.mark.parametrize(
    "entry",
    [
        "LD_PRELOAD=/tmp/mine.so",
        "LD_LIBRARY_PATH=/tmp",
        "PATH=/tmp/mine",
        "PYTHONPATH=/tmp",
        "BASH_ENV=/tmp/mine",
        "QT_PLUGIN_PATH=/tmp",
        "GIO_EXTRA_MODULES=/tmp",
        "DISPLAY=:1\nLD_PRELOAD=/tmp/mine.so",
        "XDISPLAY=:1",
        "LC_ALL=" + "x" * 5000,
    ],
)
def test_only_variables_that_a_session_needs_reach_the_new_agent(world: World, entry: str) -> None:
    restart(world, entry, "HOME=/home/user")
    told = world.environment()
    name, value = entry.split("=", 1)
    assert told.get(name) != value and "LD_PRELOAD" not in told and "SECRET_OF_ROOT" not in told
    assert told["HOME"] == "/home/user" and told["PATH"] == "/usr/local/bin:/usr/bin:/bin"


# -- what is read of a process, where its number is given to another meanwhile ------------------------------------------------------------


def made_process(world: World, number: int, *, user: str = "1001", told: str = "DISPLAY=:7", pid_namespace: str = "pid:[1]") -> Path:
    """A folder as /proc has it."""
    proc = world.folder / "proc"
    for name in ("self", str(number)):
        (proc / name / "ns").mkdir(parents=True, exist_ok=True)
        for kind, value in (("pid", "pid:[1]" if name == "self" else pid_namespace), ("user", "user:[1]")):
            (proc / name / "ns" / kind).unlink(missing_ok=True)
            (proc / name / "ns" / kind).symlink_to(value)
    process = proc / str(number)
    (process / "exe").unlink(missing_ok=True)
    (process / "exe").symlink_to(world.agent)
    (process / "cmdline").write_bytes(b"ai-popup\0run\0")
    ids = user if "\t" in user else "\t".join([user] * 4)
    (process / "status").write_text(f"Name:\tai-popup\nUid:\t{ids}\nGid:\t{ids}\nThreads:\t1\n")
    (process / "environ").write_bytes(f"{told}\0".encode())
    return process


def remembered(world: World) -> list[str]:
    world.kept.mkdir()
    world.run("remember", proc=str(world.folder / "proc"))
    return sorted(path.name for path in world.kept.glob("*.user"))


def test_owner_and_environment_are_of_one_process(world: World) -> None:
    process = made_process(world, 7)
    assert remembered(world) == ["7.user"]
    assert (world.kept / "7.user").read_text() == "1001 1001 \n" and (world.kept / "7.environ").read_text() == "DISPLAY=:7\n"
    assert process.exists()


def test_a_number_that_is_given_to_another_process_changes_nothing(world: World) -> None:
    process, gone = made_process(world, 7), world.folder / "gone"
    other = world.folder / "other"
    process.rename(other)
    made_process(world, 7, user="0", told="DISPLAY=:666")
    process.rename(world.folder / "new")
    other.rename(process)
    # The moment between the question who it is and the question what it was told: `sed` reads the first, then the number changes hands.
    real = "/usr/bin/sed" if Path("/usr/bin/sed").exists() else "/bin/sed"
    swap = f'[ ! -e "{world.folder}/new" ] || {{ mv "{process}" "{gone}"; mv "{world.folder}/new" "{process}"; }}'
    program(world.folder / "system" / "sed", f'#!/bin/sh\n{real} "$@"\n{swap}\n')
    assert remembered(world) == ["7.user"]
    assert (world.kept / "7.user").read_text() == "1001 1001 \n" and (world.kept / "7.environ").read_text() == "DISPLAY=:7\n"


def test_a_process_that_turns_into_another_users_is_left_alone(world: World) -> None:
    process = made_process(world, 7)
    real = "/usr/bin/tr" if Path("/usr/bin/tr").exists() else "/bin/tr"
    turned = "\\t".join(["0"] * 4)
    turn = f'[ ! -s "{world.kept}/7.environ" ] || printf "Uid:\\t{turned}\\nGid:\\t{turned}\\n" >"{process}/status"'
    program(world.folder / "system" / "tr", f'#!/bin/sh\n{real} "$@"\n{turn}\n')
    assert remembered(world) == []


@pytest.mark.parametrize("ids", ["1001\t0\t0\t0", "1001\t1001\t0\t1001"])
def test_a_process_with_other_rights_than_its_users_is_left_alone(world: World, ids: str) -> None:
    made_process(world, 7, user=ids)
    assert remembered(world) == []


def test_a_containers_program_is_not_the_machines(world: World) -> None:
    made_process(world, 7, user="0", pid_namespace="pid:[2]")
    assert remembered(world) == []


def test_signals_go_out_with_the_users_own_rights(world: World) -> None:
    with world.running("LANG=C") as agent:
        world.run("end_agents forget")
        assert agent.wait(10) == -signal.SIGTERM
    assert f"sh TERM {agent.pid}\n" in world.commands.read_text()
    assert not world.kept.exists()
