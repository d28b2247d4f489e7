"""A picture on a screen: a window of its own, in place before the screen is captured."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_WINDOW = """
import sys
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel

application = QApplication([])
label = QLabel()
x, y, width, height = map(int, sys.argv[2:])
label.setWindowFlags(Qt.WindowType.FramelessWindowHint | (Qt.WindowType.X11BypassWindowManagerHint if x >= 0 else Qt.WindowType.Window))
label.setPixmap(QPixmap(sys.argv[1]).scaled(width, height))
label.setFixedSize(width, height)
label.move(abs(x), y)
label.show()

def painted():
    # A server takes requests in turn: after its answer to this one the picture is there.
    application.primaryScreen().grabWindow(0, 0, 0, 1, 1)
    print("shown", flush=True)

QTimer.singleShot(100, painted)
application.exec()
"""


@contextmanager
def shown(display: str, picture: Path, x: int, y: int, width: int, height: int) -> Iterator[int]:
    """Gives the id of the process that shows it."""
    command = [sys.executable, "-c", _WINDOW, str(picture), str(x), str(y), str(width), str(height)]
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    window = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    assert window.stdout is not None
    try:
        assert window.stdout.readline() == b"shown\n"
        yield window.pid
    finally:
        window.kill()
        window.communicate()
