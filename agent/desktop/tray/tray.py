"""The tray icon: its picture, title and menu for each state of the agent, the same on every system."""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from agent.desktop.system.display import prepare_scaling
from agent.desktop.system.termination import on_termination
from agent.desktop.tray.pystray_import import pystray
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.resources import resource

RECENT = 5
QUIET_MINUTES = (30, 60, 240, 480)
SNOOZE_MINUTES = (15, 60)
TOMORROW: Final = "tomorrow"
# Minutes, until tomorrow, or None to end it.
Snooze: TypeAlias = int | str | None
_MAX_TITLE = 127  # Windows' limit
_MAX_NAME = 40


class TrayState(StrEnum):
    STARTING = "starting"
    IDLE = "idle"
    WORKING = "working"
    PAUSED = "paused"
    LIMITED = "limited"  # a process exceeded its memory limit
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class RecentResult:
    """An analysed photo: `id` is passed back when its entry is chosen."""

    id: int
    name: str
    faces: int


@dataclass(frozen=True, slots=True)
class TrayWatch:
    """Whether the screen is watched."""

    state: str = "off"  # or "on", or the reason for the pause
    until: str | None = None  # end of the snooze, in words

    @property
    def on(self) -> bool:
        """Whether it is being watched now."""
        return self.state == "on"


@dataclass(frozen=True, slots=True)
class TrayModel:
    """The state shown by the tray."""

    state: TrayState = TrayState.IDLE
    paused: bool = False
    left: int = 0  # photos still waiting
    recent: tuple[RecentResult, ...] = ()  # newest first; the menu shows `RECENT` of them
    throttled: str | None = None  # why the engine runs slower than it could
    quiet_until: str | None = None  # no popup until then, in words
    watch: TrayWatch | None = None  # None: watching is impossible
    update: str | None = None  # a newer version waiting to be installed
    taken_back: str | None = None  # a version that was rolled back


@dataclass(frozen=True, slots=True)
class TrayActions:
    """The callbacks of the tray, called in its own thread (the main one): none may block."""

    open: Callable[[], None]
    capture: Callable[[], None]
    scan_folder: Callable[[], None]
    toggle_pause: Callable[[], None]
    show_recent: Callable[[int], None]
    set_quiet: Callable[[int | None], None]  # no popup for so many minutes; None ends that
    watch: Callable[[bool], None]  # start or stop watching the screen
    snooze: Callable[[Snooze], None]  # snooze watching
    show_update: Callable[[], None]
    quit: Callable[[], None]


class Icon(Protocol):
    """The part of pystray's `Icon` that is used."""

    icon: Any  # the backend's type: a Pillow image, on Linux a path
    title: str
    visible: bool

    def run(self, setup: Callable[["Icon"], None]) -> None: ...
    def stop(self) -> None: ...
    def update_menu(self) -> None: ...


class Tray:
    """Created and run in the main thread (required by macOS and Qt); `update` and `stop` may be called from any thread."""

    def __init__(
        self,
        actions: TrayActions,
        texts: Texts,
        model: TrayModel | None = None,
        *,
        icons: Path | None = None,
        backend: Callable[..., Icon] | None = None,
    ) -> None:
        self._actions = actions
        self._texts = texts
        self._model = model or TrayModel()
        self._icons = icons or resource("icons")
        self._stopped = threading.Event()
        menu = pystray.Menu(lambda: menu_items(self._model, self._texts, self._actions))
        self._icon = (backend or _backend())("ai-popup", self._picture(), title(self._model, texts), menu)

    def run(self, on_shown: Callable[[], None] = lambda: None) -> None:
        """Show the icon and stay until `stop` is called or the process is told to end (Ctrl+C, SIGTERM, logout).

        `on_shown` is called when the icon is visible, in any thread.
        """

        def ready(icon: Icon) -> None:
            icon.visible = True
            if self._stopped.is_set():
                icon.stop()
            else:
                on_shown()

        with on_termination(self.stop):
            self._icon.run(ready)

    def stop(self) -> None:
        """Remove the icon and let `run` return; may be called before `run`."""
        self._stopped.set()
        _in_tray_thread(self._icon.stop)

    def update(self, model: TrayModel, texts: Texts | None = None) -> None:
        """Show another state, and from now on another language if `texts` are given. Cheap if nothing changed."""
        if model == self._model and texts is None:
            return
        before, self._model = self._model, model
        self._texts = texts or self._texts
        _in_tray_thread(lambda: self._show(before, texts is not None))

    def _show(self, before: TrayModel, retold: bool) -> None:
        model = self._model
        if picture_of(model) != picture_of(before):
            self._icon.icon = self._picture()
        self._icon.title = title(model, self._texts)
        if retold or replace(model, state=before.state, left=before.left, throttled=before.throttled) != before:
            self._icon.update_menu()

    def _picture(self) -> object:
        path = self._icons / picture_of(self._model)
        if sys.platform.startswith("linux"):
            return path
        from PIL import Image

        with Image.open(path) as picture:
            return picture.copy()


def picture_of(model: TrayModel) -> str:
    """The icon's file name: while the screen is watched, an open eye is beside the logo."""
    return f"tray-{model.state}{'-watching' if model.watch is not None and model.watch.on else ''}.png"


def title(model: TrayModel, texts: Texts) -> str:
    """The icon's tooltip."""
    words = [texts(f"tray.title.{model.state}", count=model.left)]
    if model.throttled is not None:
        words.append(texts(f"tray.throttled.{model.throttled}"))
    if model.watch is not None and model.watch.state != "off":
        words.append(texts(f"tray.watch.title.{model.watch.state}", time=model.watch.until or ""))
    if model.quiet_until is not None:
        words.append(texts("tray.quiet_until", time=model.quiet_until))
    return texts("tray.separator").join(words)[:_MAX_TITLE]


def menu_items(model: TrayModel, texts: Texts, actions: TrayActions) -> Iterator[object]:
    """The menu as pystray items; the first is the click on the icon itself."""
    yield _item(texts("tray.open"), actions.open, default=True)
    yield _item(texts("tray.capture"), actions.capture)
    yield _item(texts("tray.scan"), actions.scan_folder)
    yield _item(texts("tray.resume" if model.paused else "tray.pause"), actions.toggle_pause)
    yield pystray.MenuItem(texts("tray.recent"), _recent(model, texts, actions))
    yield _quiet(model, texts, actions)
    if model.watch is not None:
        yield _watch(model.watch, texts, actions)
    yield pystray.Menu.SEPARATOR
    if model.update is not None:
        yield _item(texts("tray.update", version=model.update), actions.show_update)
    elif model.taken_back is not None:
        yield _item(texts("tray.taken_back", version=model.taken_back), actions.show_update)
    yield _item(texts("tray.quit"), actions.quit)


def _recent(model: TrayModel, texts: Texts, actions: TrayActions) -> object:
    def entry(result: RecentResult) -> object:
        text = texts("tray.recent_item", count=result.faces, name=label(result.name))
        return _item(text, lambda: actions.show_recent(result.id))

    entries = [entry(result) for result in model.recent[:RECENT]]
    return pystray.Menu(*(entries or [pystray.MenuItem(texts("tray.none"), None, enabled=False)]))


def _quiet(model: TrayModel, texts: Texts, actions: TrayActions) -> object:
    if model.quiet_until is not None:
        return _item(texts("tray.quiet_end", time=model.quiet_until), lambda: actions.set_quiet(None))

    def entry(minutes: int) -> object:
        text = texts("tray.minutes", count=minutes) if minutes < 60 else texts("tray.hours", count=minutes // 60)
        return _item(text, lambda: actions.set_quiet(minutes))

    return pystray.MenuItem(texts("tray.quiet"), pystray.Menu(*map(entry, QUIET_MINUTES)))


def _watch(watch: TrayWatch, texts: Texts, actions: TrayActions) -> object:
    if watch.state == "off":
        return _item(texts("tray.watch.start"), lambda: actions.watch(True))

    def entry(minutes: int) -> object:
        text = texts("tray.minutes", count=minutes) if minutes < 60 else texts("tray.hours", count=minutes // 60)
        return _item(texts("tray.watch.snooze", time=text), lambda: actions.snooze(minutes))

    rest = [*map(entry, SNOOZE_MINUTES), _item(texts("tray.watch.tomorrow"), lambda: actions.snooze(TOMORROW))]
    again = [_item(texts("tray.watch.again"), lambda: actions.snooze(None))]
    stop = _item(texts("tray.watch.stop"), lambda: actions.watch(False))
    return pystray.MenuItem(texts("tray.watch.menu"), pystray.Menu(stop, *(again if watch.state == "snoozed" else rest)))


def _item(text: str, action: Callable[[], None], *, default: bool = False) -> object:
    # pystray inspects plain functions for their parameters and passes its icon to other callables: so it always gets a plain function.
    return pystray.MenuItem(text, lambda: action(), default=default)


def label(name: str) -> str:
    """A file name fit for a menu: shortened in the middle, with `&` doubled where it would underline a letter."""
    if len(name) > _MAX_NAME:
        name = f"{name[: _MAX_NAME - 16]}…{name[-15:]}"
    return name if sys.platform == "darwin" else name.replace("&", "&&")


def _backend() -> Callable[..., Icon]:
    if sys.platform.startswith("linux"):
        from agent.desktop.tray.qt_tray import QtIcon

        return QtIcon
    prepare_scaling()
    icon: Callable[..., Icon] = pystray.Icon
    return icon


def _in_tray_thread(call: Callable[[], None]) -> None:
    """macOS only allows changes to its status item in the main thread; the Qt backend hands over by itself, and Windows allows any."""
    if sys.platform == "darwin":
        from PyObjCTools import AppHelper

        AppHelper.callAfter(call)
    else:
        call()
