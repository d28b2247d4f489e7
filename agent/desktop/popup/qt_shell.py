"""The popup's window on Linux: pywebview's Qt window, shown without activation, on loopback pages only."""

import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QStandardPaths, Qt, QTranslator, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QGuiApplication
from PySide6.QtWebEngineCore import QWebEngineLoadingInfo, QWebEngineNavigationRequest, QWebEnginePage
from PySide6.QtWidgets import QApplication, QFileDialog, QMainWindow, QWidget

from agent.desktop.popup.qt_picker import QtPicker
from agent.desktop.popup.qt_thread import QtThread
from agent.desktop.popup.window_backend import HEIGHT, LOAD_S, WIDTH, is_ours
from agent.desktop.system.work_area import frame, qt_area
from agent.infrastructure.core.settings import Corner

_ANSWER_S = 5.0
_RENDERER_GONE = 70
# Qt's catalogues have these words without the "&" that its dialog uses to look them up.
_UNTRANSLATED = {QFileDialog.DialogLabel.LookIn: "Look in:", QFileDialog.DialogLabel.FileType: "Files of type:"}
_LIGHT, _DARK = "#f1f3f2", "#141615"  # the window colours of the UI


class QtShell:
    """Created outside Qt's thread once the window exists; all Qt calls are handed to Qt's thread."""

    def __init__(self, window: Any) -> None:
        self._native: QMainWindow = window.native
        self._view: QWidget = window.native.webview
        self._page: QWebEnginePage = window.native.webview.page()
        self._loading: Future[bool] | None = None
        self._dialog: QFileDialog | None = None
        self._words = QTranslator()
        self._thread = QtThread()
        application = QApplication.instance()
        assert application is not None
        self._thread.moveToThread(application.thread())
        self._thread.ask(self._prepare, _ANSWER_S)
        self._picker = QtPicker(self._thread, self._page.profile())

    def load(self, url: str) -> bool:
        loading: Future[bool] = Future()

        def start() -> None:
            self._loading = loading
            self._page.load(QUrl(url))

        self._thread.post(start)
        try:
            return loading.result(LOAD_S)
        except TimeoutError:
            return False

    def present(self, corner: Corner) -> None:
        self._thread.ask(partial(self._present, corner), _ANSWER_S)

    def conceal(self) -> None:
        self._thread.ask(self._native.hide, _ANSWER_S)

    def picker(self) -> QtPicker:
        return self._picker

    def choose_folder(self, title: str, language: str, chosen: Callable[[str | None], None]) -> None:
        self._thread.post(partial(self._open_dialog, title, language, chosen))

    # -- in Qt's thread ----------------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        QApplication.setQuitOnLastWindowClosed(False)
        # No task bar entry. pywebview's own "no focus" refuses focus for good; here a click still gives it.
        self._native.setWindowFlag(Qt.WindowType.WindowDoesNotAcceptFocus, False)
        self._native.setWindowFlag(Qt.WindowType.Tool, True)
        self._native.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating, True)
        # A hidden window does no layout: without this the page is first drawn for a few pixels, which flashes when shown.
        self._view.resize(WIDTH, HEIGHT)
        # Shown until the page's first frame: no white flash on a dark desktop.
        dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        self._page.setBackgroundColor(QColor(_DARK if dark else _LIGHT))
        self._page.loadingChanged.connect(self._on_loading)
        self._page.navigationRequested.connect(self._on_navigation)
        # A page whose renderer died stays white: end, and the next request starts a new process.
        self._page.renderProcessTerminated.connect(lambda *_: os._exit(_RENDERER_GONE))

    def _present(self, corner: Corner) -> None:
        area = frame(qt_area(), WIDTH, HEIGHT, corner)
        self._native.setFixedSize(area.w, area.h)
        self._native.move(area.x, area.y)
        self._native.show()
        self._native.raise_()

    def _on_loading(self, info: QWebEngineLoadingInfo) -> None:
        # pywebview's initial blank page also triggers a load.
        if info.status() != QWebEngineLoadingInfo.LoadStatus.LoadStartedStatus and is_ours(info.url().toString()):
            loading, self._loading = self._loading, None
            if loading is not None:
                loading.set_result(info.status() == QWebEngineLoadingInfo.LoadStatus.LoadSucceededStatus and not info.isErrorPage())

    def _on_navigation(self, request: QWebEngineNavigationRequest) -> None:
        url = request.url()
        if is_ours(url.toString()) or url.scheme() in ("about", "data"):
            return
        request.reject()
        if request.navigationType() == QWebEngineNavigationRequest.NavigationType.LinkClickedNavigation and url.scheme() == "https":
            QDesktopServices.openUrl(url)

    def _open_dialog(self, title: str, language: str, chosen: Callable[[str | None], None]) -> None:
        if self._dialog is not None:
            self._dialog.raise_()
            self._dialog.activateWindow()
            return
        self._speak(language)
        self._dialog = dialog = QFileDialog(None, title)
        for label, text in _UNTRANSLATED.items():
            if word := self._words.translate("QFileDialog", text):
                dialog.setLabelText(label, word)
        dialog.setDirectory(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)

        def finished(result: int) -> None:
            self._dialog = None
            paths = dialog.selectedFiles() if result else []
            dialog.deleteLater()
            chosen(paths[0] if paths else None)

        dialog.finished.connect(finished)
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()

    def _speak(self, language: str) -> None:
        """Show Qt's own texts in this language, from its catalogues; missing ones stay English."""
        QCoreApplication.removeTranslator(self._words)
        if self._words.load(f"qtbase_{language.replace('-', '_')}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            QCoreApplication.installTranslator(self._words)
