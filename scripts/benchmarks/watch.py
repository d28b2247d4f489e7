"""The group `watch`: the cost of watching a full-HD screen once a second, while it is still and while a film plays."""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from scripts.benchmarks.rows import Row, at_most
from scripts.benchmarks.stage import LIMIT_S, fetched, running
from scripts.program import started, until
from scripts.screens import display
from tests.support.image_window import shown

SIZE = (1920, 1080)
STILL_PCT, VIDEO_PCT, PSS_MB = 1.0, 10.0, 250
MEASURED_S, SETTLED_S = 60, 15
VALUES = {"watch_screen.enabled": "true", "watch_screen.interval_s": "1"}
# Every pixel of the screen changes 25 times a second; a face moves across it, and another one appears with each cut.
_FILM = """
import sys
from PySide6.QtCore import QTimer, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

application = QApplication([])
width, height = map(int, sys.argv[1:3])
faces = [QPixmap(path).scaledToHeight(700) for path in sys.argv[3:]]

class Film(QWidget):
    frame = 0

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor.fromHsv(self.frame * 3 % 360, 90, 150))
        face = faces[self.frame // 75 % len(faces)]
        painter.drawPixmap(self.frame * 8 % (width - face.width()), 150, face)
        painter.end()

film = Film()
film.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.X11BypassWindowManagerHint)
film.setGeometry(0, 0, width, height)
film.show()

def on():
    Film.frame += 1
    film.update()

timer = QTimer()
timer.timeout.connect(on)
timer.start(40)
application.exec()
"""


def rows(_: bool) -> Iterator[Row]:
    """Yield the rows: the agent and its child processes, not the X server or the drawing program. Samples: both shares."""
    samples, _models = fetched()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True)))
        stack.enter_context(display(SIZE))
        client, agent = stack.enter_context(running(folder, 10, values=VALUES))
        with shown(os.environ["DISPLAY"], samples / "obama.jpg", 100, 100, 427, 640):
            until(client, lambda status: status.watch_said == 1, limit_s=LIMIT_S)
            yield _share("watch_still_pct", agent, STILL_PCT)
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        film = [sys.executable, "-c", _FILM, *map(str, SIZE), *(str(samples / name) for name in ("biden.jpg", "obama2.jpg"))]
        with started(*film):
            yield _share("watch_video_pct", agent, VIDEO_PCT)
            [engine] = (each for each in agent.children() if "screen-worker" in each.cmdline())
            pss = engine.memory_full_info().pss / 2**20
            yield at_most("watch_engine_pss_mb", pss, PSS_MB, [pss])


def _share(name: str, agent: psutil.Process, target: float) -> Row:
    """Return the percentage of a core that is used while no request comes."""
    time.sleep(SETTLED_S)
    before, began = _seconds(agent), time.monotonic()
    time.sleep(MEASURED_S)
    shares = [100 * (now - then) / (time.monotonic() - began) for now, then in zip(_seconds(agent), before, strict=True)]
    return at_most(name, sum(shares), target, shares)


def _seconds(agent: psutil.Process) -> tuple[float, float]:
    """Return processor seconds: the agent's, and those of all its child processes, including ended ones."""
    own, below = agent.cpu_times(), [each.cpu_times() for each in agent.children(recursive=True)]
    return own.user + own.system, sum(each.user + each.system for each in below) + own.children_user + own.children_system
