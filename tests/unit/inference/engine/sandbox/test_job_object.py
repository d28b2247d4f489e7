"""What is asked of Windows, in which order, and what is claimed of it."""

import ctypes
from ctypes import wintypes
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.domain.errors import EngineOpen
from agent.inference.engine.sandbox.job_object import _Label, _Limits, enter_sandbox
from agent.inference.engine.sandbox.report import Sandbox
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths

ROOMS = SandboxPaths(read=(), write=(Path("kernels"), Path("ir")), address_space=2**35)


JOB = 77


class Call:
    """One function of a DLL."""

    def __init__(self, system: "System", name: str) -> None:
        self.system, self.name = system, name
        self.restype: object = None

    def __call__(self, *arguments: object) -> int:
        self.system.calls.append((self.name, arguments))
        if self.name in self.system.failing:
            return 0
        return {"SetNamedSecurityInfoW": 0, "GetLengthSid": 12, "CreateJobObjectW": JOB}.get(self.name, 1)


class System:
    """Both DLLs; what is in `failing` answers no."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.calls: list[tuple[str, tuple[object, ...]]] = []
        self.functions: dict[str, Call] = {}

    def __getattr__(self, name: str) -> Call:
        return self.functions.setdefault(name, Call(self, name))

    def enter_sandbox(self, rooms: SandboxPaths = ROOMS) -> Sandbox:
        def load(_name: str) -> Any:
            return self

        return enter_sandbox(rooms, load=load)

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


def test_it_is_alone_in_a_job_and_low_and_reading_is_not_claimed() -> None:
    wall = System().enter_sandbox()
    assert wall == Sandbox(writes=True, programs=True, by="low integrity, job")
    with pytest.raises(EngineOpen) as caught:
        wall.check()
    assert caught.value.params == {"both": 1}


def test_the_scratch_folders_are_opened_for_it_before_it_is_lowered() -> None:
    system = System()
    system.enter_sandbox()
    labelled = [arguments[0] for name, arguments in system.calls if name == "SetNamedSecurityInfoW"]
    assert labelled == ["kernels", "ir"]
    assert max(place for place, name in enumerate(system.names()) if name == "SetNamedSecurityInfoW") < system.names().index(
        "SetTokenInformation"
    )


@pytest.mark.parametrize(
    ("failing", "wall"),
    [
        ("AssignProcessToJobObject", Sandbox(writes=True, by="low integrity")),
        ("SetInformationJobObject", Sandbox(writes=True, by="low integrity")),
        ("OpenProcessToken", Sandbox(by="job")),
        ("ConvertStringSidToSidW", Sandbox(by="job")),
        ("SetTokenInformation", Sandbox(by="job")),
        ("ConvertStringSecurityDescriptorToSecurityDescriptorW", Sandbox(writes=True, programs=True, by="low integrity, job")),
    ],
)
def test_what_windows_refuses_is_not_claimed(failing: str, wall: Sandbox) -> None:
    assert System(failing).enter_sandbox() == wall


def test_what_is_taken_is_given_back() -> None:
    system = System()
    system.enter_sandbox()
    assert system.names().count("CloseHandle") == 2  # the job's and the token's
    assert system.names().count("LocalFree") == 3


@pytest.mark.parametrize("failing", ["", "AssignProcessToJobObject", "SetInformationJobObject"])
def test_nothing_is_left_with_which_the_job_s_limits_could_be_lifted(failing: str) -> None:
    system = System(failing)
    system.enter_sandbox()
    closed = [arguments[0] for name, arguments in system.calls if name == "CloseHandle"]
    assert JOB in [handle.value for handle in closed if isinstance(handle, wintypes.HANDLE)]
    [limits] = [arguments[2]._obj for name, arguments in system.calls if name == "SetInformationJobObject" and arguments[1] == 9]  # type: ignore[attr-defined]
    assert not limits.flags & 0x2000, "a job that ends its process when its handle is closed would end it here"


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="the sizes of 64-bit Windows")
def test_the_structures_have_the_sizes_windows_knows() -> None:
    assert ctypes.sizeof(_Limits) == 144 and ctypes.sizeof(_Label) == 16


@pytest.mark.parametrize("screen", [False, True])
def test_only_the_engine_that_takes_pictures_of_the_screen_may_use_a_window_that_is_not_its_own(screen: bool) -> None:
    system = System()
    system.enter_sandbox(replace(ROOMS, screen=screen))
    [refused] = [arguments[2]._obj.value for name, arguments in system.calls if name == "SetInformationJobObject" and arguments[1] == 4]  # type: ignore[attr-defined]
    assert refused == (0xFE if screen else 0xFF)
