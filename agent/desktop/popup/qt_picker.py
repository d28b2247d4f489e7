"""The region picker's windows on Linux: a web view over each screen, unmanaged by the window manager."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from PySide6.QtCore import QRect, Qt, QUrl
from PySide6.QtGui import QColor, QCursor, QGuiApplication, QScreen
from PySide6.QtWebEngineCore import QWebEngineNavigationRequest, QWebEnginePage, QWebEngineProfile
from PySide6.QtWebEngineWidgets import QWebEngineView

from agent.desktop.popup.picker_shell import PickerPane
from agent.desktop.popup.qt_thread import QtThread
from agent.desktop.popup.window_backend import LOAD_S, is_ours
from agent.desktop.system.work_area import Rect

_ANSWER_S = 5.0


class QtPicker:
    """All Qt calls are handed to Qt's thread. The pages share the popup's session."""

    def __init__(self, thread: QtThread, profile: QWebEngineProfile) -> None:
        self._thread = thread
        self._profile = profile
        self._views: list[QWebEngineView] = []
        self._page = QUrl()  # without the code, which was for the first page

    def warm(self, url: str) -> bool:
        if self._page.isEmpty():
            came = self._load(0, QUrl(url))
            self._page = QUrl(self._thread.ask(lambda: self._views[0].url().toString(), _ANSWER_S).partition("#")[0])
            return came and is_ours(self._page.toString())
        return True

    def fill(self, panes: Sequence[PickerPane]) -> None:
        for number in range(self._thread.ask(lambda: len(self._views), _ANSWER_S), len(panes)):
            self._load(number, self._page)
        self._thread.ask(partial(self._fill, panes), _ANSWER_S)

    def reveal(self) -> None:
        self._thread.ask(self._reveal, _ANSWER_S)

    def conceal(self) -> None:
        self._thread.ask(self._conceal, _ANSWER_S)

    def _load(self, number: int, url: QUrl) -> bool:
        loaded: Future[bool] = Future()
        self._thread.post(lambda: self._make(number, url, loaded.set_result))
        try:
            return loaded.result(LOAD_S)
        except TimeoutError:
            return False

    # -- in Qt's thread ----------------------------------------------------------------------------------------------------------

    def _make(self, number: int, url: QUrl, loaded: Callable[[bool], None]) -> None:
        if number < len(self._views):
            view = self._views[number]
        else:
            self._views.append(view := QWebEngineView())
            view.setPage(QWebEnginePage(self._profile, view))
            # Window managers prevent windows over a whole screen, animate them, or ask for their position; and all of that takes time.
            view.setWindowFlags(
                Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint | Qt.WindowType.X11BypassWindowManagerHint
            )
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
            view.page().setBackgroundColor(QColor("black"))
            view.page().navigationRequested.connect(_stay)
            # A hidden page does no layout: created at its final size, it only has to be painted when shown.
            view.setGeometry(QGuiApplication.primaryScreen().geometry())

        def told(came: bool) -> None:
            view.loadFinished.disconnect(told)
            loaded(came)

        view.loadFinished.connect(told)
        view.load(url)

    def _fill(self, panes: Sequence[PickerPane]) -> None:
        for view in self._views[len(panes) :]:
            view.hide()
        for number, (view, pane) in enumerate(zip(self._views, panes, strict=False)):
            screen = _screen_at(pane.rect, number)
            view.setScreen(screen)
            view.setGeometry(screen.geometry())
            view.setProperty("filled", True)
            view.page().runJavaScript(f"location.hash = {json.dumps(pane.at)}")

    def _reveal(self) -> None:
        filled = [view for view in self._views if view.property("filled")]
        for view in filled:
            view.show()
            view.raise_()
        under = next((view for view in filled if view.geometry().contains(QCursor.pos())), filled[0] if filled else None)
        if under is not None:
            under.activateWindow()
            under.setFocus()

    def _conceal(self) -> None:
        for view in self._views:
            view.setProperty("filled", False)
            view.hide()
            view.page().runJavaScript("location.hash = ''")


def _stay(request: QWebEngineNavigationRequest) -> None:
    """Stay on the agent's own pages."""
    if not is_ours(request.url().toString()):
        request.reject()


def _screen_at(rect: Rect, number: int) -> QScreen:
    """The screen that covers exactly these pixels of the display; if there is none, the screen with that number."""
    screens = QGuiApplication.screens()
    exact = [screen for screen in screens if _pixels(screen) == QRect(rect.x, rect.y, rect.w, rect.h)]
    return next(iter(exact), screens[min(number, len(screens) - 1)])


def _pixels(screen: QScreen) -> QRect:
    """Qt gives a screen's position in pixels and its size in units."""
    place, ratio = screen.geometry(), screen.devicePixelRatio()
    return QRect(place.x(), place.y(), round(place.width() * ratio), round(place.height() * ratio))
