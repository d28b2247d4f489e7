"""Files as only Windows has them, under Wine: odd names, files that another program holds, several spellings of one path."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.packages.windows import files_probe
from tests.packages.windows.conftest import Wine
from tests.packages.windows.windows_python import CHECKOUT

pytestmark = pytest.mark.timeout(600)  # the first one waits for a whole Windows to be made


def test_files_with_odd_names_and_held_ones_are_read_or_told_apart(wine: Wine, python: Path) -> None:
    wine.stay()
    words = ["wine", str(python), "-m", files_probe.__name__, r"C:\probe"]
    environment = {**wine.environment, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        words, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found["odd"]["names"]) == set(files_probe.ODD)
    assert found["odd"]["content"] == found["odd"]["names"]
    assert (found["odd"]["missing"], found["odd"]["copies"]) == ([], [len(files_probe.ODD)] * 2)
    # A viewer that shares reading lets nobody replace the file, either.
    assert found["held"] == {"alone": [["held"], "held"], "viewed": ["photo", "held"], "read-only": "protected", "renamed": "photo"}
    assert found["misread"] == []
    assert found["lost"]
