"""What the system does not let the program do: it is named by its code, and nothing is a defect of the program."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from agent.infrastructure.core.photo_files import open_photo
from tests.support.second_user import as_nobody

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")]
FEW_FILES = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture(scope="module")
def read_only(make_module_program: Callable[[Mapping[str, str]], "RealProgram"]) -> Iterator["RealProgram"]:
    """The program with a library, on a disk that can't be written to any more: no command changes anything there."""
    program = make_module_program({})
    photo = program.home.with_name("a.png")
    Image.new("RGB", (64, 64), "teal").save(photo)
    assert program.run("scan", str(photo)).returncode == 0
    home = str(program.home)
    if subprocess.run(["mount", "--bind", "-o", "ro", home, home], capture_output=True, check=False).returncode:
        pytest.skip("needs to mount")
    try:
        yield program
    finally:
        subprocess.run(["umount", home], check=True)


@pytest.mark.parametrize("words", ["run --no-tray", "scan {}", "find --unnamed", "people list", "backup create", "redact {} -o {}.jpg"])
def test_a_data_folder_that_cant_be_written_to_is_named(read_only: "RealProgram", words: str) -> None:
    said = read_only.run(*words.replace("{}", str(read_only.home.with_name("a.png"))).split())
    assert said.returncode == 1
    assert "[store.unwritable]" in said.stderr and "Traceback" not in said.stderr


def test_a_limit_of_open_files_that_is_too_low_is_named_at_the_start(program: "RealProgram") -> None:
    command = [sys.executable, "-c", FEW_FILES, sys.executable, "-m", "agent", "run", "--no-tray"]
    said = subprocess.run(command, env=program.environment, capture_output=True, text=True, timeout=100, check=False)
    assert said.returncode == 1
    assert "[agent.few_files]" in said.stderr and "20" in said.stderr


def test_a_limit_of_open_files_that_is_too_low_for_the_database_of_root_is_named(
    make_program: Callable[[Mapping[str, str]], "RealProgram"],
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: another user's database takes no descriptors by number")
    server = make_program({"AI_POPUP__SERVER__PORT": "0", "AI_POPUP__SERVER__OPERATIONS_PORT": "0"})
    command = ["setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"]  # as root of a container
    command += [sys.executable, "-c", FEW_FILES.replace("20", "1024"), sys.executable, "-m", "agent", "serve"]
    said = subprocess.run(command, env=server.environment, capture_output=True, text=True, timeout=100, check=False)
    assert said.returncode == 1
    assert "[agent.few_files]" in said.stderr and "ulimit -n 4096" in said.stderr


def test_a_folder_that_may_not_be_read_is_not_called_an_image(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to be another user")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    # Each core has a folder of its own, so there are more or fewer of them.
    for above in (tmp_path, *tmp_path.parents):
        if above == Path(tempfile.gettempdir()):
            break
        above.chmod(0o755)
    assert as_nobody(lambda: open_photo(str(folder))) == "SourceNoAccess"
    assert as_nobody(lambda: open_photo(str(tmp_path))) == "ImageUnsupported"
