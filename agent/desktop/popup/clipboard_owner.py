"""A process that holds a picture for the clipboard of a Linux desktop, where the copying program delivers the data at each paste."""

import base64
import json
import os
import sys
import threading
from typing import BinaryIO

from agent.desktop.popup.popup_window import prepare_linux
from agent.infrastructure.core.json_child import send, take_pipes

_ANSWER_S = 10.0


def main() -> int:
    """Put the pictures from standard input on the clipboard, until the input ends or another program copies something."""
    requests, answers = take_pipes()
    prepare_linux()
    from PySide6.QtCore import QByteArray, QMimeData
    from PySide6.QtGui import QGuiApplication

    from agent.desktop.popup.qt_thread import QtThread

    application = QGuiApplication(["ai-popup"])
    application.setQuitOnLastWindowClosed(False)
    clipboard, qt = application.clipboard(), QtThread()

    def hold(picture: bytes) -> bool:
        content = QMimeData()
        # Unchanged: nothing is decoded here, and programs that paste get these exact bytes.
        content.setData("image/png", QByteArray(picture))
        clipboard.setMimeData(content)
        return clipboard.ownsClipboard()

    def serve(requests: BinaryIO) -> None:
        for line in requests:
            try:
                held = qt.ask(lambda: hold(base64.b64decode(json.loads(line)["png"])), _ANSWER_S)  # noqa: B023 - asked before the next line
            except Exception:  # reported as "not done"
                held = False
            send(answers, {"ok": held})
        os._exit(0)  # like the agent's end: no cleanup is needed

    clipboard.dataChanged.connect(lambda: None if clipboard.ownsClipboard() else application.quit())
    threading.Thread(target=serve, args=(requests,), daemon=True).start()
    return application.exec()


if __name__ == "__main__":
    sys.exit(main())
