"""An image's root as a running container, as far as namespaces go: no capability, no network but its own loopback, nothing writable but
what is mounted. It has the image's own user, environment and command."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

USER = 10001
PHOTOS = "/mnt"
_STOP_S = 120
# $1 the root, $2 what becomes its home, $3 the photos; the rest is the program.
_WORLD = """
set -eu
root=$1 home=$2 photos=$3
shift 3
ip link set lo up
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 dev "$root/dev"
for name in null zero full random urandom; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
mkdir "$root/dev/shm"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount --bind "$home" "$root/var/lib/ai-popup"
mount --bind "$photos" "$root/mnt"
mount -o remount,bind,ro "$root/mnt"
exec chroot "$root" "$@"
"""
_POWERLESS = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]


class Container:
    """`config` is the image's, as `buildah inspect --format '{{json .OCIv1.Config}}'` says it."""

    def __init__(self, root: Path, config: Mapping[str, Any], folder: Path, environment: Mapping[str, str]) -> None:
        self._config = config
        self._environment = [*config["Env"], *(f"{name}={value}" for name, value in environment.items())]
        self.photos, self.log = folder / "photos", folder / "output.log"
        self._home = folder / "home"
        for path in (self.photos, self._home):
            path.mkdir(exist_ok=True)
        os.chown(self._home, USER, USER)
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        apart = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        command = [*self._config["Entrypoint"], *self._config["Cmd"]]
        world = ["sh", "-c", _WORLD, "sh", str(self._root), str(self._home), str(self.photos)]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [*apart, *world, *self._inside(command)], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )

    def run(self, *command: str, limit_s: float = 120) -> "subprocess.CompletedProcess[str]":
        """As `docker exec` does."""
        enter = ["nsenter", f"--target={self._first}", "--mount", "--net", "--pid", "--ipc", "--uts", "--root", "--wd=/"]
        return subprocess.run([*enter, *self._inside(command)], capture_output=True, text=True, timeout=limit_s, check=False)

    def says(self, *command: str) -> Any:
        """Return the JSON that a command prints."""
        done = self.run(*command)
        assert done.returncode == 0, done.stderr + self.log.read_text()
        return json.loads(done.stdout)

    def healthy(self) -> bool:
        """Ask as the image's health check does."""
        assert self._process is not None and self._process.poll() is None, self.log.read_text()
        words = self._config["Healthcheck"]["Test"]
        assert words[0] == "CMD"
        return bool(self._child()) and self.run(*words[1:]).returncode == 0

    def until_healthy(self, limit_s: float) -> None:
        end = time.monotonic() + limit_s
        while not self.healthy():
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.2)

    def stop(self) -> int:
        """As `docker stop` does; returns the exit code."""
        assert self._process is not None
        os.kill(self._first, signal.SIGTERM)
        return self._process.wait(_STOP_S)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)

    def _inside(self, command: Sequence[str]) -> list[str]:
        return ["setpriv", *_POWERLESS, "--", "env", "-i", *self._environment, *command]

    @property
    def _first(self) -> int:
        """The number, outside, of the container's first process."""
        return int(self._child())

    def _child(self) -> str:
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii").split()
        return children[0] if children and Path(f"/proc/{children[0]}/comm").read_text(encoding="ascii") == "tini\n" else ""
