"""The sandbox on Windows: low integrity, which can't change the user's files, in a job of one process."""

import ctypes
from collections.abc import Callable
from ctypes import wintypes
from pathlib import Path
from typing import Any, TypeAlias

from agent.inference.engine.sandbox.report import Sandbox
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths

Load: TypeAlias = Callable[[str], Any]

_EXTENDED_LIMITS, _UI_RESTRICTIONS = 9, 4
_ONE_PROCESS, _MEMORY, _DIE_SILENTLY = 0x8, 0x100, 0x400
_NO_DESKTOP_AT_ALL = 0xFF  # clipboard, other windows' handles, settings, logging off
_FOREIGN_HANDLES = 0x01  # the desktop's window is one, and screenshots need it

_TOKEN_QUERY, _TOKEN_ADJUST_DEFAULT = 0x8, 0x80
_INTEGRITY_LEVEL, _SE_GROUP_INTEGRITY = 25, 0x20
_LOW = "S-1-16-4096"
_LOW_FOLDER = "S:(ML;OICI;NW;;;LW)"  # writable for low integrity, including everything below it
_FILE_OBJECT, _LABEL = 1, 0x10


class _Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", ctypes.c_int64),
        ("job_time", ctypes.c_int64),
        ("flags", ctypes.c_uint32),
        ("smallest_set", ctypes.c_size_t),
        ("largest_set", ctypes.c_size_t),
        ("processes", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority", ctypes.c_uint32),
        ("scheduling", ctypes.c_uint32),
        ("io", ctypes.c_uint64 * 6),
        ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t),
        ("process_peak", ctypes.c_size_t),
        ("job_peak", ctypes.c_size_t),
    )


class _Label(ctypes.Structure):
    """TOKEN_MANDATORY_LABEL."""

    _fields_ = (("sid", ctypes.c_void_p), ("attributes", ctypes.c_uint32))


def _load(name: str) -> Any:
    return getattr(ctypes, "WinDLL")(name)  # noqa: B009 - there is none on other systems, where this is only read


def enter_sandbox(rooms: SandboxPaths, *, load: Load = _load) -> Sandbox:
    """Sandbox this process. Reading and the network stay open: only an app container would close them. `load` opens a DLL."""
    kernel, security = load("kernel32"), load("advapi32")
    kernel.GetCurrentProcess.restype = kernel.CreateJobObjectW.restype = wintypes.HANDLE
    itself = wintypes.HANDLE(kernel.GetCurrentProcess())
    alone = _in_a_job(kernel, itself, rooms.address_space, _NO_DESKTOP_AT_ALL & ~(_FOREIGN_HANDLES if rooms.screen else 0))
    for folder in rooms.write:
        _open_for_low(kernel, security, folder)
    low = _lower(kernel, security, itself)
    parts = ("low integrity" if low else "", "job" if alone else "")
    return Sandbox(writes=low, programs=low and alone, by=", ".join(filter(None, parts)))


def _in_a_job(kernel: Any, itself: wintypes.HANDLE, memory: int | None, refused: int) -> bool:
    """Put this process for good into a nameless job: one process, little or no desktop access, limited memory.

    The job lives as long as its process. Its handle is closed: code that takes over the process could lift the limits with it.
    """
    job = wintypes.HANDLE(kernel.CreateJobObjectW(None, None))
    limits = _Limits(flags=_ONE_PROCESS | _DIE_SILENTLY, processes=1)
    if memory is not None:
        limits.flags |= _MEMORY
        limits.process_memory = memory
    desktop = ctypes.c_uint32(refused)
    try:
        return bool(
            kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits))
            and kernel.SetInformationJobObject(job, _UI_RESTRICTIONS, ctypes.byref(desktop), ctypes.sizeof(desktop))
            and kernel.AssignProcessToJobObject(job, itself)
        )
    finally:
        kernel.CloseHandle(job)


def _open_for_low(kernel: Any, security: Any, folder: Path) -> None:
    """Let processes of low integrity write in this folder."""
    descriptor, label = ctypes.c_void_p(), ctypes.c_void_p()
    present, defaulted = wintypes.BOOL(), wintypes.BOOL()
    if not security.ConvertStringSecurityDescriptorToSecurityDescriptorW(_LOW_FOLDER, 1, ctypes.byref(descriptor), None):
        return
    security.GetSecurityDescriptorSacl(descriptor, ctypes.byref(present), ctypes.byref(label), ctypes.byref(defaulted))
    security.SetNamedSecurityInfoW(str(folder), _FILE_OBJECT, _LABEL, None, None, None, label)
    kernel.LocalFree(descriptor)


def _lower(kernel: Any, security: Any, itself: wintypes.HANDLE) -> bool:
    """Set this process to low integrity, irreversibly."""
    token, sid = wintypes.HANDLE(), ctypes.c_void_p()
    if not security.OpenProcessToken(itself, _TOKEN_QUERY | _TOKEN_ADJUST_DEFAULT, ctypes.byref(token)):
        return False
    try:
        if not security.ConvertStringSidToSidW(_LOW, ctypes.byref(sid)):
            return False
        label = _Label(sid, _SE_GROUP_INTEGRITY)
        size = ctypes.sizeof(label) + security.GetLengthSid(sid)
        return bool(security.SetTokenInformation(token, _INTEGRITY_LEVEL, ctypes.byref(label), size))
    finally:
        kernel.LocalFree(sid)
        kernel.CloseHandle(token)
