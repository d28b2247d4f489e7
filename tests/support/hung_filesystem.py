"""A drive whose files can be listed, and that at a word answers nothing more, or only with errors: FUSE, spoken by the test itself."""

import ctypes
import errno
import os
import select
import stat
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_HEADER = struct.Struct("<IIQQIIII")  # length, opcode, unique, node, uid, gid, pid, padding
_ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
_LOOKUP, _FORGET, _GETATTR, _OPEN, _READ, _RELEASE = 1, 2, 3, 14, 15, 18
_INIT, _OPENDIR, _READDIR, _RELEASEDIR, _INTERRUPT, _BATCH_FORGET = 26, 27, 28, 29, 36, 42
_ROOT = 1


class HungDrive:
    """A mounted folder of `files`. Raises OSError where this user may mount none."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder = folder
        self._files = list(files.items())
        self.reads_hang = self.lookups_hang = self.hangs = self.fails = False
        self._device = os.open("/dev/fuse", os.O_RDWR)
        self._libc = ctypes.CDLL(None, use_errno=True)
        options = f"fd={self._device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if self._libc.mount(b"hung", os.fsencode(folder), b"fuse", 0, options.encode()):
            code = ctypes.get_errno()
            os.close(self._device)
            raise OSError(code, os.strerror(code))
        os.set_blocking(self._device, False)
        self._gone = threading.Event()
        self._server = threading.Thread(target=self._serve, name="hung-drive", daemon=True)
        self._server.start()

    def add(self, name: str, content: bytes) -> None:
        self._files.append((name, content))

    def let_go(self) -> None:
        """Unmount it: whoever waits for it gets an error."""
        self._libc.umount2(os.fsencode(self.folder), 2)  # MNT_DETACH
        self._gone.set()
        self._server.join(60)

    # -- the protocol ------------------------------------------------------------------------------------------------------------
    def _serve(self) -> None:
        try:
            while not self._gone.is_set():
                # What was not taken yet a signal may end, as with a network drive whose server is gone.
                if select.select([] if self.hangs else [self._device], [], [], 0.1)[0]:
                    self._take()
        finally:
            os.close(self._device)  # whoever still waits gets an error

    def _take(self) -> None:
        try:
            request = os.read(self._device, 1 << 17)
        except OSError as error:
            if error.errno == errno.ENODEV:
                self._gone.set()
            return  # else it was interrupted
        _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
        body = request[_HEADER.size :]
        hangs = (self.reads_hang and opcode == _READ) or (self.lookups_hang and opcode == _LOOKUP)
        if opcode in (_FORGET, _BATCH_FORGET) or hangs:
            return
        if opcode == _INTERRUPT:  # whoever waited was ended: else not even a kill would end them
            (waiting,) = struct.unpack_from("<Q", body)
            self._tell(waiting, -errno.EINTR, b"")
            return
        try:
            answer = b"" if self.fails and opcode != _INIT else self._answer(opcode, node, body)
            code = -errno.EIO if self.fails and opcode != _INIT else 0
        except OSError as error:
            answer, code = b"", -(error.errno or errno.EIO)
        self._tell(unique, code, answer)

    def _tell(self, unique: int, code: int, answer: bytes) -> None:
        with suppress(OSError):
            os.write(self._device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)

    def _answer(self, opcode: int, node: int, body: bytes) -> bytes:
        if opcode == _INIT:
            major, minor = struct.unpack_from("<II", body)
            return struct.pack("<IIIIHHIIHHI28x", major, min(minor, 31), 0, 0, 0, 0, 1 << 16, 1, 1, 0, 0)
        if opcode == _LOOKUP:
            name = os.fsdecode(body.rstrip(b"\0"))
            for number, (known, _) in enumerate(self._files):
                if known == name:
                    return struct.pack("<QQQQII", number + 2, 0, 0, 0, 0, 0) + self._attr(number + 2)
            raise OSError(errno.ENOENT, "")
        if opcode == _GETATTR:
            return struct.pack("<QII", 0, 0, 0) + self._attr(node)
        if opcode in (_OPEN, _OPENDIR):
            return struct.pack("<QII", 1, 0, 0)
        if opcode == _READDIR:
            _, offset = struct.unpack_from("<QQ", body)
            return b"".join(_entry(number, name) for number, (name, _) in enumerate(self._files) if number >= offset)
        if opcode == _READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self._files[node - 2][1][offset : offset + size]
        if opcode in (_RELEASE, _RELEASEDIR):
            return b""
        raise OSError(errno.ENOSYS, "")

    def _attr(self, node: int) -> bytes:
        size = 0 if node == _ROOT else len(self._files[node - 2][1])
        mode = stat.S_IFDIR | 0o755 if node == _ROOT else stat.S_IFREG | 0o644
        when = 1_700_000_000
        return _ATTR.pack(node, size, (size + 511) // 512, when, when, when, 0, 0, 0, mode, 1, os.getuid(), os.getgid(), 0, 4096, 0)


def _entry(number: int, name: str) -> bytes:
    raw = os.fsencode(name)
    entry = struct.pack("<QQII", number + 2, number + 1, len(raw), stat.S_IFREG >> 12) + raw
    return entry + b"\0" * (-len(entry) % 8)
