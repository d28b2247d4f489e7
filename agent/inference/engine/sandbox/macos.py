"""The sandbox on macOS: a sandbox profile for this process."""

import ctypes
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from agent.inference.engine.sandbox.report import OPEN, Sandbox
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths, limit

_LIBRARY = "/usr/lib/libSystem.dylib"
# The last matching rule counts. System files stay readable; of the user's files only granted ones. Without mach services the process
# can't reach the keychain or the clipboard, and can't have other programs started.
_PROFILE = """(version 1)
(allow default)
(deny network*)
(deny process-exec*)
(deny process-fork)
(deny process-info* (target others))
(deny signal (target others))
(deny mach-lookup)
(deny ipc-sysv*)
(deny appleevent-send)
(deny file-write*)
(deny file-read-data {private})
(allow file-read-data {read})
(allow file-write* {write} (literal "/dev/null"))
{services}"""
# Screenshots come from the window server, which only checks the system's screen recording permission.
_SCREEN = '(allow mach-lookup (global-name "com.apple.windowserver.active") (global-name "com.apple.tccd.system"))\n'
# Core ML has nets compiled for the graphics processor and the neural engine by the system's own services.
_ACCELERATORS = (
    '(allow mach-lookup (global-name "com.apple.appleneuralengine") (global-name "com.apple.ANECompilerService")'
    ' (global-name "com.apple.MTLCompilerService") (xpc-service-name "com.apple.MTLCompilerService"))\n'
)
_PRIVATE = ("/Users", "/Volumes", "/Network", "/private/tmp", "/private/var/tmp", "/private/var/folders", "/private/var/root")


def enter_sandbox(rooms: SandboxPaths, *, load: Callable[[str], Any] = ctypes.CDLL) -> Sandbox:
    """Sandbox this process and its children. `load` opens the system's library."""
    limit(rooms.address_space)
    problem = ctypes.c_char_p()
    system = load(_LIBRARY)
    if system.sandbox_init(profile(rooms).encode(), ctypes.c_uint64(0), ctypes.byref(problem)) != 0:
        system.sandbox_free_error(problem)
        return OPEN
    return Sandbox(files=True, writes=True, network=True, programs=True, by="sandbox")


def profile(rooms: SandboxPaths) -> str:
    """The sandbox's rules in its own language."""
    read, write = _paths((*rooms.read, *rooms.write)), _paths(rooms.write)
    services = (_SCREEN if rooms.screen else "") + (_ACCELERATORS if rooms.devices else "")
    return _PROFILE.format(private=_paths(map(Path, _PRIVATE)), read=read, write=write, services=services)


def _paths(paths: Iterable[Path]) -> str:
    # The sandbox sees paths without links: /tmp is /private/tmp.
    return " ".join(f"(subpath {_quoted(os.path.realpath(path))})" for path in paths)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
