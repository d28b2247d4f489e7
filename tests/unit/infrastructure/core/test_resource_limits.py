"""How many files may be open at once: raised where it can be, named where it is too few."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

CODE = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
from agent.infrastructure.core.resource_limits import raise_open_file_limit
from agent.domain.errors import FewFiles
try:
    raise_open_file_limit()
except FewFiles as error:
    print(error.code, error.params["limit"])
else:
    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "said"), [(64, 1000, "1000"), (64, 9000, "4096"), (5000, 9000, "5000"), (64, 64, "agent.few_files 64")]
)
def test_it_is_raised_as_far_as_the_system_lets_us(soft: int, hard: int, said: str) -> None:
    told = subprocess.run([sys.executable, "-c", CODE, str(soft), str(hard)], capture_output=True, text=True, timeout=100, check=True)
    assert told.stdout.strip() == said


def test_too_low_a_limit_for_a_part_is_named_unless_the_system_lets_it_be_raised() -> None:
    code = CODE.replace("raise_open_file_limit()", "raise_open_file_limit(int(sys.argv[3]))")
    told = subprocess.run([sys.executable, "-c", code, "64", "1000", "2048"], capture_output=True, text=True, timeout=100, check=True)
    assert told.stdout.strip() in ("agent.few_files 1000", "2048"), "the second as root with every right"
