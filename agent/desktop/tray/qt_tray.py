"""The Linux backend of pystray's `Icon`, over Qt's tray icon, which speaks both StatusNotifierItem and XEmbed.

pystray's own Linux backends either lack clicks and menus (Xlib) or need libraries that pip can't install (GTK).
"""

from pathlib import Path
from typing import Any

from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon

from agent.desktop.popup.qt_thread import QtThread
from agent.desktop.system import session_bus
from agent.desktop.tray.pystray_import import pystray


class QtIcon(pystray.Icon):  # type: ignore[misc]  # pystray has no type information
    """Created and run in the main thread; all other methods may be called from any thread.

    `icon` is the path of a picture rather than a Pillow image: Qt reads it itself, which saves the agent Pillow's memory.
    """

    def __init__(self, name: str, icon: Path, title: str, menu: Any) -> None:
        application = QApplication.instance()
        # Qt parses its options from the argument list: it gets none of ours.
        self._qt = application if isinstance(application, QApplication) else QApplication([name])
        self._qt.setApplicationName(name)
        self._qt.setQuitOnLastWindowClosed(False)
        self._thread = QtThread()
        self._menu_widget = QMenu()
        self._menu_widget.aboutToHide.connect(self._after_menu)
        self._menu_is_old = False
        self._on_bus = session_bus.has_owner(session_bus.TRAY_WATCHER)
        self._tray = QSystemTrayIcon()
        self._tray.setContextMenu(self._menu_widget)
        self._tray.activated.connect(self._on_activated)
        super().__init__(name, icon, title, menu)

    # -- pystray's backend interface ---------------------------------------------------------------------------------------------

    def _run(self) -> None:
        self._mark_ready()
        self._qt.exec()
        self._tray.hide()
        self._visible = False
        # The bus must learn that the icon is gone, even if the process lives on.
        self._qt.processEvents()

    def _stop(self) -> None:
        self._thread.post(self._qt.quit)

    def _show(self) -> None:
        self._update_title()
        self._thread.post(self._tray.show)

    def _hide(self) -> None:
        self._thread.post(self._tray.hide)

    def _update_icon(self) -> None:
        path = str(self._icon)
        self._thread.post(lambda: self._tray.setIcon(QIcon(path)))
        self._icon_valid = True

    def _update_title(self) -> None:
        title = self._title
        self._thread.post(lambda: self._tray.setToolTip(title))

    def _update_menu(self) -> None:
        self._thread.post(self._rebuild_menu)

    # -- in Qt's thread ----------------------------------------------------------------------------------------------------------

    def _rebuild_menu(self) -> None:
        # An open menu must not change under the pointer.
        self._menu_is_old = self._menu_widget.isVisible()
        if not self._menu_is_old:
            self._menu_widget.clear()
            self._fill(self._menu_widget, self._menu)

    def _after_menu(self) -> None:
        if self._menu_is_old:
            # Deferred: the chosen entry's own signal comes after this one.
            self._update_menu()

    def _fill(self, widget: QMenu, menu: Any) -> None:
        for item in menu:
            if item is pystray.Menu.SEPARATOR:
                widget.addSeparator()
            elif item.submenu is not None:
                submenu = QMenu(self._text(item), widget)
                submenu.setEnabled(item.enabled)
                self._fill(submenu, item.submenu)
                widget.addMenu(submenu)
            else:
                widget.addAction(self._action(item, widget))

    def _action(self, item: Any, parent: QMenu) -> QAction:
        action = QAction(self._text(item), parent)
        action.setEnabled(item.enabled)
        if item.checked is not None:
            action.setCheckable(True)
            action.setChecked(item.checked)
        if item.default:
            font = action.font()
            font.setBold(True)
            action.setFont(font)
        action.triggered.connect(lambda checked=False: self._handler(item)())
        return action

    def _text(self, item: Any) -> str:
        # Menus sent over the bus mark a shortcut with `_` where Qt's own use `&`, and Qt does not double underscores in a name.
        text = str(item.text)
        return text.replace("_", "__") if self._on_bus else text

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self()
