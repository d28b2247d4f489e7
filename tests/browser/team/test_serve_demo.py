"""The team server's demo, checked by itself over the network."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

CHECKOUT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


@pytest.mark.smoke
def test_it_signs_in_lists_names_and_signs_out_and_leaves_nothing(models_folder: Path, samples_folder: Path, tmp_path: Path) -> None:
    short = tmp_path / "t"
    short.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AI_POPUP")}
    done = subprocess.run(
        [sys.executable, "-P", CHECKOUT / "scripts" / "serve_demo.py", "--exit"],
        env={**kept, "LC_ALL": "C.UTF-8", "TMPDIR": str(short)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.partition("  ")[0]: line.rpartition("  ")[2] for line in done.stdout.splitlines() if "  " in line}
    assert rows["Password set by the link, signed in"] == "admin, administrator"
    assert rows["Photos listed"] == str(len(list(samples_folder.iterdir())))
    assert rows["Face named"] == "Barack Obama (obama.jpg)"
    assert "refused (401)" in rows["Signed out"]
    assert rows["obama.jpg"] == "Barack Obama (named)"
    assert not list(short.glob("ai-popup-*"))
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(short) in " ".join(each.info["cmdline"] or ())]
