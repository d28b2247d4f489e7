"""The real program headless, and on a screen of its own."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import RealProgram


@pytest.fixture
def program(make_program: "Callable[[Mapping[str, str]], RealProgram]") -> "RealProgram":
    """Headless, not started yet."""
    return make_program({})


@pytest.fixture
def x_display() -> Iterator[str]:
    """An X server of its own; gives the display's name."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reader, writer = os.pipe()
    none = subprocess.DEVNULL
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[writer], stdin=none, stdout=none, stderr=none)
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def program_with_display(make_program: "Callable[[Mapping[str, str]], RealProgram]", x_display: str) -> "RealProgram":
    """Not started yet; it shows its popup on a screen of its own."""
    return make_program({"DISPLAY": x_display})
