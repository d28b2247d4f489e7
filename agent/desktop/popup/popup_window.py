"""The popup's process: one frameless web window, hidden until requested, that ends with its input."""

import json
import os
import sys
import threading
import time
from typing import Any, BinaryIO

from agent.desktop.popup.picker_shell import PickerPane
from agent.desktop.popup.system_shells import shell_for
from agent.desktop.popup.window_backend import HEIGHT, WIDTH, Shell, is_ours
from agent.desktop.system.display import missing_library, prepare_scaling, web_view_missing
from agent.desktop.system.work_area import Rect
from agent.infrastructure.core.json_child import Message, send, take_pipes
from agent.infrastructure.core.settings import Corner

_START_S = 20.0
_END_S = 3.0


def main() -> int:
    """Serve requests on standard input until it ends: the popup's, the folder dialog's, the picker's. The main thread runs the window."""
    requests, answers = take_pipes()
    if sys.platform.startswith("linux"):
        prepare_linux()
        try:
            import PySide6.QtWebEngineWidgets  # noqa: F401 - by far the most libraries of the system are the web engine's
        except ImportError as error:
            send(answers, {"notice": "lacks", "library": missing_library(error)})
            return 1
    prepare_scaling()  # before pywebview, which would claim to know the first monitor's scale alone
    if web_view_missing():
        send(answers, {"notice": "lacks_web_view"})
        return 1
    import webview

    webview.settings["ALLOW_FILE_URLS"] = False
    webview.settings["SHOW_DEFAULT_MENUS"] = False
    window = webview.create_window(
        "AI Popup",
        html="<!doctype html>",
        width=WIDTH,
        height=HEIGHT,
        min_size=(1, 1),  # the screen may be smaller than the preferred size
        hidden=True,
        frameless=True,
        easy_drag=False,  # pywebview's dragging by any point crashes with PySide6
        resizable=False,
        on_top=True,
        focus=False,
        draggable=True,  # a capture can be dragged out; all other pictures disable dragging themselves
    )
    assert window is not None  # only a handler of its creation could cancel it, and there is none
    server = PopupServer(window, requests, answers)
    window.events.closing += server.on_closing
    webview.start(server.run, gui="qt" if sys.platform.startswith("linux") else None, private_mode=True, debug=False)
    return 0


class PopupServer:
    """Reads requests in a separate thread and answers each when it is done."""

    def __init__(self, window: Any, requests: BinaryIO, answers: BinaryIO) -> None:
        self._window = window
        self._requests = requests
        self._answers = answers
        self._sending = threading.Lock()
        self._ending = False

    def run(self) -> None:
        try:
            if self._window.events.shown.wait(_START_S):  # pywebview's term for "created", shown or hidden
                self._serve(shell_for(self._window))
        finally:
            self._end()

    def on_closing(self) -> bool:
        """Closed by the window manager: only hide it, and keep it warm."""
        if self._ending:
            return True
        threading.Thread(target=self._window.hide, daemon=True).start()
        self._send({"notice": "hidden"})
        return False

    def _serve(self, shell: Shell) -> None:
        for line in self._requests:
            began = time.perf_counter()
            answer = self._answer(shell, json.loads(line))
            self._send({**answer, "ms": round((time.perf_counter() - began) * 1000, 1)})

    def _answer(self, shell: Shell, request: Message) -> Message:
        match request:
            case {"do": "show", "url": url, "corner": corner}:
                if url is not None and not (is_ours(url) and shell.load(url)):
                    return {"ok": False}
                shell.present(Corner(corner))
            case {"do": "hide"}:
                shell.conceal()
            case {"do": "choose_folder", "title": title, "language": language}:
                shell.choose_folder(title, language, lambda path: self._send({"notice": "folder", "path": path}))
            case {"do": "warm_picker", "url": url}:
                return {"ok": (url is None or is_ours(url)) and shell.picker().warm(url or "")}
            case {"do": "fill_picker", "panes": panes}:
                shell.picker().fill([PickerPane(Rect(*pane["rect"]), pane["at"]) for pane in panes])
            case {"do": "reveal_picker"}:
                shell.picker().reveal()
            case {"do": "conceal_picker"}:
                shell.picker().conceal()
            case _:
                return {"ok": False}
        return {"ok": True}

    def _send(self, message: Message) -> None:
        with self._sending:
            send(self._answers, message)

    def _end(self) -> None:
        self._ending = True
        # The window system may hang, but a popup must never outlive its agent.
        deadline = threading.Timer(_END_S, os._exit, (0,))
        deadline.daemon = True
        deadline.start()
        self._window.destroy()


def prepare_linux() -> None:
    """Set the environment that Qt needs before it starts."""
    # A Wayland client can neither choose its position nor stay on top; through XWayland it can.
    if os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "xcb"
    # Drawn without the graphics card: a still page of this size gains nothing from it, and a bad driver can't leave the window blank.
    os.environ["QT_QUICK_BACKEND"] = "software"
    flags = os.environ.get("QTWEBENGINE_CHROMIUM_FLAGS", "").split()
    if sys.platform != "win32" and os.geteuid() == 0 and "--no-sandbox" not in flags:
        # Chromium refuses to start as root with its sandbox on; for all other users it stays on.
        flags.append("--no-sandbox")
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = " ".join(flags)


if __name__ == "__main__":
    sys.exit(main())
