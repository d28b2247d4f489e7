"""Programs that were killed while they held something."""

import subprocess
import sys
from pathlib import Path

_HOLDING = """
import sys, time
from agent.infrastructure.core.scratch_folders import scratch_folder
with scratch_folder("copy", sys.argv[1]) as folder:
    (folder / "copy.png").write_bytes(b"a photo")
    print(folder / "copy.png", flush=True)
    time.sleep(600)
"""


def left_by_a_killed_program(parent: Path) -> Path:
    """Return a file in the scratch folder of a killed program."""
    with subprocess.Popen([sys.executable, "-c", _HOLDING, str(parent)], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        left = Path(program.stdout.readline().strip())
        program.kill()
    return left
