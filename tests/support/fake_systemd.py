"""As much of systemd as a deployment uses: it runs the real units of installers/server/systemd, where systemd is not the first process.

`small_systemd.py FOLDER SOCKETS PATHS` keeps services and sockets running until it is killed, and then starts what is enabled again,
as at a boot; `systemctl` in its folder asks it. It knows sockets with `FileDescriptorName=`, services of the types notify and exec,
and no limits, users or restarts.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.support.socket_activation import HeldSocket

WAIT_S = 200.0
CLIENT = """#!{python}
import socket, sys
with socket.socket(socket.AF_UNIX) as to:
    to.connect({control!r})
    to.sendall("\\0".join(sys.argv[1:]).encode() + b"\\n")
    answer = to.makefile().read()
code, _, said = answer.partition(" ")
sys.stderr.write(said)
sys.exit(int(code or 1))
"""


class SmallSystemd:
    """`folder` holds the units, what is enabled, and the logs, `run` the sockets, whose paths must be short.

    `paths` replaces the beginning of paths in the units.
    """

    def __init__(self, folder: Path, run: Path, paths: dict[str, str]) -> None:
        self._folder = folder
        self._run = run
        self._paths = paths
        self._sockets: dict[str, HeldSocket] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # -- what systemctl says -----------------------------------------------------------------------------------------------------
    def answer(self, words: list[str]) -> tuple[int, str]:
        verb, units = words[0], [each for each in words[1:] if not each.startswith("-")]
        match verb:
            case "daemon-reload":
                return 0, ""
            case "enable":
                self._enabled({*self._enabled(), *units})
                return self._each(units, self.start) if "--now" in words else (0, "")
            case "start":
                return self._each(units, self.start)
            case "stop":
                return self._each(units, self.stop)
            case "restart":
                self._each(units, self.stop)
                return self._each(units, self.start)
            case "is-active":
                process = self._processes.get(units[0])
                return (0 if units[0] in self._sockets or (process is not None and process.poll() is None) else 3), ""
            case "is-failed":
                process = self._processes.get(units[0])
                return (0 if process is not None and process.poll() is not None else 1), ""
        return 1, f"unknown: {verb}"

    def boot(self) -> None:
        for unit in sorted(self._enabled(), key=lambda each: not each.endswith(".socket")):
            if self._read(unit).get("Type") != ["oneshot"]:  # the tests resume by hand, to see what it says
                self.start(unit)

    def _enabled(self, units: set[str] | None = None) -> set[str]:
        file = self._folder / "enabled.json"
        if units is not None:
            file.write_text(json.dumps(sorted(units)))
        return set(json.loads(file.read_text())) if file.exists() else set()

    @staticmethod
    def _each(units: list[str], do: "object") -> tuple[int, str]:
        faults = [fault for unit in units if (fault := do(unit))]  # type: ignore[operator]
        return (1, "; ".join(faults)) if faults else (0, "")

    # -- units -------------------------------------------------------------------------------------------------------------------
    def start(self, unit: str) -> str:
        """Start it; returns what is wrong."""
        said = self._read(unit)
        if unit.endswith(".socket"):
            if unit not in self._sockets:
                self._sockets[unit] = HeldSocket(said["FileDescriptorName"][0], "0.0.0.0", int(said["ListenStream"][0]))
            return ""
        if (running := self._processes.get(unit)) is not None and running.poll() is None:
            return ""
        notified = self._run / f"{unit}.notify"
        notified.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(str(notified))
            told.settimeout(0.1)
            self._processes[unit] = self._launch(unit, said, notified)
            return self._await(unit, told) if said["Type"][0] == "notify" else ""

    def stop(self, unit: str) -> str:
        process = self._processes.pop(unit, None)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_S)
        return ""

    def _launch(self, unit: str, said: dict[str, list[str]], notified: Path) -> subprocess.Popen[bytes]:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "NOTIFY_SOCKET": str(notified)}
        for line in said.get("Environment", []):
            environment |= dict(word.split("=", 1) for word in shlex.split(self._here(line)))
        for file in map(self._here, said.get("EnvironmentFile", [])):
            path = Path(file.lstrip("-"))
            if path.exists() or not file.startswith("-"):
                lines = [line for line in path.read_text().splitlines() if "=" in line and not line.startswith("#")]
                environment |= {name: "".join(shlex.split(value)) for name, value in (line.split("=", 1) for line in lines)}
        command, cwd = shlex.split(self._here(said["ExecStart"][0])), Path(self._here(said["WorkingDirectory"][0]))
        held = next((each for name, each in self._sockets.items() if self._read(name)["Service"][0] == unit), None)
        with (self._folder / f"{unit}.log").open("ab") as log:
            if held is not None:
                return held.start(command, environment, cwd=cwd, out=log, errors=log)
            return subprocess.Popen(command, env=environment, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _await(self, unit: str, told: socket.socket) -> str:
        process, until = self._processes[unit], time.monotonic() + WAIT_S
        while time.monotonic() < until:
            try:
                if b"READY=1" in told.recv(4096):
                    return ""
            except TimeoutError:
                if process.poll() is not None:
                    return f"{unit} ended with {process.returncode}"
        return f"{unit} does not become ready"

    def _read(self, unit: str) -> dict[str, list[str]]:
        name, _, rest = unit.partition("@")
        file = self._folder / (f"{name}@.{rest.rpartition('.')[2]}" if rest else unit)
        found: dict[str, list[str]] = {}
        for line in file.read_text().splitlines():
            if matched := re.fullmatch(r"([A-Za-z]+)=(.*)", line):
                value = matched[2].replace("%i", rest.partition(".")[0]).replace("%H", socket.gethostname())
                found.setdefault(matched[1], []).append(value)
        return found

    def _here(self, text: str) -> str:
        for there, here in self._paths.items():
            text = text.replace(there, here)
        return text


def main(folder: Path, run: Path, paths: dict[str, str]) -> None:
    control = run / "control"
    control.unlink(missing_ok=True)
    systemd = SmallSystemd(folder, run, paths)
    client = folder / "bin" / "systemctl"
    client.parent.mkdir(exist_ok=True)
    client.write_text(CLIENT.format(python=sys.executable, control=str(control)))
    client.chmod(0o755)
    systemd.boot()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(control))
        listener.listen(8)
        print("up", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rw") as lines:
                code, said = systemd.answer(lines.readline().rstrip("\n").split("\0"))
                try:
                    lines.write(f"{code} {said}")
                    lines.flush()
                except OSError:
                    pass  # who asked was killed


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
