"""A bare Debian in a folder: nothing but apt in it, with its own processes, and a user whose home has blanks and Chinese in its name."""

import contextlib
import hashlib
import inspect
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

USER, UID = "keeper", 1000
HOME = "/home/王 小明"
_ETC = Path("/etc/apt")
_APT_S = 240
_WAIT_S = 90.0
# A world of its own, not a mere chroot: in one of those no program may make the walls that a web view wants.
_WORLD = """
set -e
mount --bind "$1" "$1" && cd "$1" && mkdir -p .outside
mount -t proc proc proc && mount --rbind /dev dev && mount -t sysfs sys sys && mount -t tmpfs tmpfs tmp
mount --bind "$2" mnt
pivot_root . .outside && umount -l /.outside && rmdir /.outside
exec sleep infinity
"""


def make_bare(archive: Path) -> None:
    """Make the system as a tar archive, from where this machine's own packages come, by the same settings of apt."""
    release = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"))
    assert release is not None
    folder = archive.with_suffix(".apt")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "apt.conf.d").mkdir(parents=True)
    for file in sorted((_ETC / "apt.conf.d").iterdir()):
        if "Invoke" not in file.read_text(encoding="utf-8"):  # what calls programs that are not there
            shutil.copy(file, folder / "apt.conf.d")
    for name in ("keyrings", "trusted.gpg.d", "auth.conf.d"):
        if (_ETC / name).is_dir():
            shutil.copytree(_ETC / name, folder / name)
    fresh = archive.with_suffix(".new")
    hook = f'cp -a {folder}/. "$1/etc/apt/"'
    sources = _ETC / "sources.list.d" / "debian.sources"
    # As in Docker's Debian: dpkg doesn't wait for the disk after each file.
    how = ["--variant=minbase", "--format=tar", "--dpkgopt=force-unsafe-io", f"--setup-hook={hook}"]
    command = ["mmdebstrap", *how, release[1], str(fresh), str(sources)]
    subprocess.run(command, check=True, timeout=_APT_S, capture_output=True)
    fresh.replace(archive)
    shutil.rmtree(folder)


def kept_archive(checkout: Path) -> Path:
    """Made once and kept under build/, as long as this machine's sources of packages stay the same."""
    facts = (_ETC / "sources.list.d" / "debian.sources").read_bytes() + inspect.getsource(make_bare).encode()
    archive = checkout / "build" / "cache" / f"bare-{hashlib.sha256(facts).hexdigest()[:12]}.tar"
    if not archive.is_file():
        archive.parent.mkdir(parents=True, exist_ok=True)
        make_bare(archive)
    return archive


class BareSystem:
    """One such system, running; `shared` is a folder that is seen as /mnt inside."""

    def __init__(self, root: Path, shared: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self._environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **environment}
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _WORLD, "sh", str(root), str(shared)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._first = until(self._sleeper, "the bare system")

    def _sleeper(self) -> int | None:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii").split()
        with contextlib.suppress(OSError):
            if children and Path(f"/proc/{children[0]}/comm").read_text(encoding="ascii") == "sleep\n":
                return int(children[0])
        return None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    # -- commands ----------------------------------------------------------------------------------------------------------------
    def command(self, words: Sequence[str], *, user: bool, environment: Mapping[str, str] | None = None) -> list[str]:
        told = {**self._environment, "HOME": HOME if user else "/root", **(environment or {})}
        who = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"] if user else []
        enter = ["nsenter", "--target", str(self._first), "--mount", "--pid", "--"]
        return [*enter, "env", "-i", *(f"{name}={value}" for name, value in told.items()), *who, *words]

    def root_run(self, *words: str) -> str:
        """As root; the command must succeed."""
        return _checked(self.command(words, user=False, environment={"DEBIAN_FRONTEND": "noninteractive"}))

    def run(self, *words: str, **environment: str) -> str:
        """As the user; the command must succeed."""
        return _checked(self.command(words, user=True, environment=environment))

    def root_fails(self, *words: str) -> str:
        """As root; the command must fail. Returns what it says."""
        return _refused(self.command(words, user=False, environment={"DEBIAN_FRONTEND": "noninteractive"}))

    def fails(self, *words: str, **environment: str) -> str:
        """As the user; the command must fail. Returns what it says."""
        return _refused(self.command(words, user=True, environment=environment))

    def says(self, text: str, *words: str, **environment: str) -> bool | None:
        """Whether a command of the user's succeeds and says this; None if not."""
        command = self.command(words, user=True, environment=environment)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_APT_S, check=False)
        return (done.returncode == 0 and text in done.stdout) or None

    def start(self, *words: str, **environment: str) -> "subprocess.Popen[str]":
        """As the user, beside this."""
        command = self.command(words, user=True, environment=environment)
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def apt(self, *words: str) -> str:
        return self.root_run("apt-get", "-y", "-q", "--no-install-recommends", *words)

    # -- what is there -----------------------------------------------------------------------------------------------------------
    def files(self) -> set[str]:
        """Every path on its disk."""
        done = subprocess.run(["find", ".", "-xdev", "-printf", "%P\\n"], cwd=self.root, capture_output=True, text=True, check=True)
        return set(done.stdout.splitlines())

    def agents(self) -> list[int]:
        """Process ids, as the machine outside counts them."""
        inside = Path(f"/proc/{self._first}/ns/pid").stat().st_ino
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _is_agent(process, inside)]


def _is_agent(process: Path, inside: int) -> bool:
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes().split(b"\0")
        return words[0].endswith(b"ai-popup") and words[1:2] == [b"run"] and (process / "ns" / "pid").stat().st_ino == inside
    return False


@contextlib.contextmanager
def bare_system(archive: Path, folder: Path, shared: Path, environment: Mapping[str, str]) -> Iterator[BareSystem]:
    root = folder / "system"
    root.mkdir(parents=True)
    subprocess.run(["tar", "xf", str(archive), "-C", str(root), "--exclude=./dev/*"], check=True, timeout=_APT_S)
    shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
    system = BareSystem(root, shared, environment)
    try:
        system.root_run("useradd", "--create-home", "--uid", str(UID), "--home-dir", HOME, USER)
        yield system
    finally:
        system.close()
        shutil.rmtree(root, ignore_errors=True)


def until(ask: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"in vain: {what}")


def _refused(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_APT_S, check=False)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def _checked(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_APT_S, check=False)
    assert done.returncode == 0, f"{command[-4:]}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
