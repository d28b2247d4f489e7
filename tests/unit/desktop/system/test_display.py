"""Is there a display, is there a tray?"""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.desktop.system import display, session_bus
from agent.desktop.system.display import display_available, tray_available, why_no_tray

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a desktop")


@pytest.fixture(autouse=True)
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def wayland(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that takes connections where a compositor would."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-7")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "wayland-7"))
        server.listen()
        yield


def test_without_a_display_there_is_neither_window_nor_tray() -> None:
    assert not display_available()
    assert not tray_available()
    assert str(why_no_tray()) == "desktop.no_tray"


def test_a_compositor_that_answers_is_a_display(wayland: None) -> None:
    assert display_available()


@pytest.mark.parametrize("name", ["nonsense", ":nonsense", ":64999", "unix:64999.0", "localhost:59000"])
def test_an_x_server_that_does_not_answer_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", name)

    assert not display_available()


def test_an_x_server_on_the_network_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("DISPLAY", f"127.0.0.1:{server.getsockname()[1] - 6000}.0")

        assert display_available()


def test_a_tray_that_starts_later_is_waited_for(wayland: None, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(session_bus, "has_owner", lambda name: next(answers))
    monkeypatch.setattr(display, "_POLL_S", 0.001)

    assert tray_available(wait_s=5)


def test_a_desktop_without_a_tray_is_told_after_the_wait(wayland: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_bus, "has_owner", lambda name: False)

    assert not tray_available()


def test_where_qt_lacks_a_library_there_is_no_tray(wayland: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtWidgets", None)
    monkeypatch.setattr(session_bus, "has_owner", lambda name: True)

    assert not tray_available()
    assert str(why_no_tray()) == "desktop.library_missing library=Qt"


def test_the_library_that_the_loader_does_not_find_is_named(wayland: None, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loader:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "PySide6.QtWidgets":
                raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.delitem(sys.modules, "PySide6.QtWidgets", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Loader(), *sys.meta_path])

    assert str(why_no_tray()) == "desktop.library_missing library=libGL.so.1"
