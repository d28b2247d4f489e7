"""Where nothing may be skipped, a skip fails the run and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.setup.no_skips import SKIPPED

ROOT = Path(__file__).parents[3]
SKIPS = {
    "test": "import pytest\n\ndef test_a() -> None:\n    pytest.skip('no desktop')\n",
    "module": "import pytest\n\npytest.skip('no desktop', allow_module_level=True)\n",
}


WORKERS = {"alone": (), "side by side": ("-n", "2")}


def suite(folder: Path, text: str, workers: str = "alone") -> tuple[int, str]:
    (folder / "test_it.py").write_text(text)
    words = ["-p", "scripts.setup.no_skips", "-c", os.devnull, "--rootdir", str(folder), *WORKERS[workers], str(folder)]
    command = [sys.executable, "-m", "pytest", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("kind", SKIPS)
def test_a_skip_fails_the_run_and_is_named(tmp_path: Path, kind: str, workers: str) -> None:
    (tmp_path / "test_other.py").write_text("def test_c() -> None:\n    pass\n")
    code, output = suite(tmp_path, SKIPS[kind] + "\n\ndef test_b() -> None:\n    pass\n", workers)
    assert code == SKIPPED
    assert "nothing may be skipped here: test_it.py" in output


def test_expected_failures_are_no_skips(tmp_path: Path) -> None:
    text = "import pytest\n\n@pytest.mark.xfail\ndef test_a() -> None:\n    assert False\n\n\ndef test_b() -> None:\n    pass\n"
    code, _ = suite(tmp_path, text)
    assert code == 0
