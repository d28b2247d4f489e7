"""Questions to the session bus where there is none; real ones are asked by the tests of the tray."""

import sys

import pytest

from agent.desktop.system import session_bus

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the session bus is Linux's")


@pytest.mark.parametrize("address", [None, "unix:path=/nowhere/bus", "disabled:", "nonsense"])
def test_without_a_bus_nobody_is_there(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    if address is None:
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    else:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)

    assert not session_bus.has_owner("org.freedesktop.DBus")
    assert not session_bus.obtainable("org.freedesktop.DBus")
    assert not session_bus.idle_inhibited()
    assert not session_bus.show_items(["file:///nowhere"])
