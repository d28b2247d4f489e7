"""Another program on a screen, on which something is dropped: it says what it was given."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WAIT_S = 60.0

_WINDOW = """
import json
import sys
from pathlib import Path
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

class Target(QWidget):
    def dragEnterEvent(self, event):
        event.acceptProposedAction()

    def dropEvent(self, event):
        files = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        print(json.dumps([[file.name, file.read_bytes().hex()] for file in files]), flush=True)

application = QApplication([])
target = Target()
target.setAcceptDrops(True)
target.setWindowTitle("drop here")
target.setGeometry(*map(int, sys.argv[1:]))
target.show()
application.exec()
"""


@contextmanager
def drop_target(display: str, x: int, y: int, width: int, height: int) -> Iterator[Callable[[], list[tuple[str, bytes]]]]:
    """Gives a call that waits for a drop, and says which files it was: their names and bytes."""
    command = [sys.executable, "-c", _WINDOW, *map(str, (x, y, width, height))]
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    window = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    assert window.stdout is not None

    def dropped() -> list[tuple[str, bytes]]:
        assert window.stdout is not None
        assert select.select([window.stdout], [], [], WAIT_S)[0], "nothing was dropped"
        return [(name, bytes.fromhex(content)) for name, content in json.loads(window.stdout.readline())]

    try:
        yield dropped
    finally:
        window.kill()
        window.communicate()
