"""A listening socket as systemd holds it: it outlives the processes that accept from it."""

import fcntl
import os
import shlex
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

_START = "exec 3<&{descriptor}; exec {descriptor}<&-; export LISTEN_PID=$$; exec {command}"


class HeldSocket:
    """`name` is the one in `FileDescriptorName=`."""

    def __init__(self, name: str, host: str = "127.0.0.1", port: int = 0) -> None:
        self._name = name
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self._socket.listen(1024)
        self.port = int(self._socket.getsockname()[1])

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], *, cwd: Path, out: IO[bytes], errors: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """Start a process that has it, with the number and the variables that systemd would give."""
        descriptor = fcntl.fcntl(self._socket, fcntl.F_DUPFD, 10)  # never 3 itself
        script = _START.format(descriptor=descriptor, command=shlex.join(command))
        variables = {**environment, "LISTEN_FDS": "1", "LISTEN_FDNAMES": self._name}
        try:
            return subprocess.Popen(
                ["bash", "-c", script], env=variables, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, pass_fds=[descriptor]
            )
        finally:
            os.close(descriptor)

    def __enter__(self) -> "HeldSocket":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()
