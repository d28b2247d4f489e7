"""The popup's real window: in its corner, above the others, without taking the focus, and restarted after it ends."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from agent.desktop.popup.popup import PopupHost
from agent.domain.errors import NoDisplay, PopupFailed
from agent.infrastructure.core.settings import Corner

if TYPE_CHECKING:
    from tests.browser.conftest import Desktop

PAGE_COLOUR = (11, 107, 200)
COMMAND = [sys.executable, "-m", "agent.desktop.popup.popup_window"]
# Served with the agent's own strict policy: the window may not depend on scripts in the page.
PAGE = b"""<!doctype html><title>waiting</title>
<body style="margin:0; background:rgb(11,107,200)">
<form action="/typed"><input name="word" style="position:fixed; top:40px; left:20px; width:200px"></form>
<a href="http://192.0.2.1/away" style="position:fixed; top:200px; left:0; width:380px; height:100px"></a>"""


class Site:
    """A page on loopback that notes what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                self.send_response(403 if "used" in self.path else 200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Security-Policy", "default-src 'self'; style-src 'unsafe-inline'")
                self.end_headers()
                self.wfile.write(PAGE)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    async def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/popup?code={len(self.pages)}"

    @property
    def pages(self) -> list[str]:
        return [path for path in self.asked if path.startswith("/popup")]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


@pytest_asyncio.fixture
async def popup(on_desktop: "Desktop", site: Site) -> AsyncIterator[PopupHost]:
    host = PopupHost(site.url, keep_warm_s=300, command=COMMAND)
    yield host
    await host.close()


@pytest.fixture
def typed_into(on_desktop: "Desktop") -> str:
    """A window of another program that has the focus."""
    on_desktop.start(["xmessage", "-geometry", "300x100+100+100", "-title", "other", "in use"])
    window = on_desktop.window("other")
    on_desktop.ask("xdotool", "windowactivate", "--sync", window)
    assert on_desktop.focused() == window
    return window


async def comes(ask: Callable[[], bool], within: float = 20) -> None:
    async with asyncio.timeout(within):
        while not ask():  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0.05)


@pytest.mark.smoke
async def test_it_shows_in_its_corner_and_takes_the_focus_from_nobody(
    on_desktop: "Desktop", popup: PopupHost, typed_into: str, tmp_path: Path
) -> None:
    for corner, place in {Corner.BOTTOM_RIGHT: (888, 268), Corner.TOP_LEFT: (12, 12)}.items():
        await popup.show(corner)
        await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)

        assert on_desktop.geometry(on_desktop.window("AI Popup")) == (*place, 380, 520)
        assert on_desktop.focused() == typed_into
    on_desktop.screenshot(tmp_path / "popup.png")


async def test_it_stands_above_the_panel_not_behind_it(on_panel_desktop: "Desktop", site: Site, tmp_path: Path) -> None:
    popup = PopupHost(site.url, keep_warm_s=300, command=COMMAND)
    await popup.show(Corner.BOTTOM_RIGHT)
    await asyncio.to_thread(on_panel_desktop.appears, PAGE_COLOUR)
    _, top, _, height = on_panel_desktop.geometry(on_panel_desktop.window("AI Popup"))
    panel = on_panel_desktop.geometry(on_panel_desktop.window("xfce4-panel"))
    on_panel_desktop.screenshot(tmp_path / "panel.png")
    await popup.close()

    assert top + height + 12 == panel[1]


async def test_it_stands_over_a_window_that_is_raised_later(on_desktop: "Desktop", popup: PopupHost) -> None:
    await popup.show(Corner.BOTTOM_RIGHT)
    on_desktop.start(["xmessage", "-geometry", "600x500+600+250", "-title", "later", "in use"])
    later = on_desktop.window("later")
    on_desktop.ask("xdotool", "windowactivate", "--sync", later)

    assert on_desktop.screenshot().getpixel((1078, 600)) == PAGE_COLOUR


async def test_a_warm_window_is_shown_again_without_loading_its_page(on_desktop: "Desktop", popup: PopupHost, site: Site) -> None:
    await popup.show(Corner.BOTTOM_RIGHT)
    await popup.hide()
    await asyncio.to_thread(on_desktop.disappears, PAGE_COLOUR)
    assert (popup.alive, popup.visible) == (True, False)

    await popup.show(Corner.BOTTOM_RIGHT)
    await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
    assert len(site.pages) == 1


async def test_a_click_into_it_lets_the_user_type(on_desktop: "Desktop", popup: PopupHost, site: Site, typed_into: str) -> None:
    await popup.show(Corner.BOTTOM_RIGHT)
    await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
    for _ in range(5):  # a click in the very moment of the first frame is not for the page yet
        on_desktop.click((888 + 60, 268 + 50))
        on_desktop.ask("xdotool", "sleep", "0.3", "type", "--delay", "60", "Mei")
        on_desktop.keys("Return")
        with contextlib.suppress(TimeoutError):
            await comes(lambda: "/typed?word=Mei" in site.asked, within=2)
            return
    pytest.fail("nothing could be typed")


async def test_a_page_from_elsewhere_never_replaces_its_own(on_desktop: "Desktop", popup: PopupHost, site: Site) -> None:
    await popup.show(Corner.BOTTOM_RIGHT)
    await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
    on_desktop.click((888 + 100, 268 + 250))
    await asyncio.sleep(1)

    assert on_desktop.screenshot().getpixel((1078, 700)) == PAGE_COLOUR


async def test_a_killed_process_is_started_again_by_the_next_show(on_desktop: "Desktop", popup: PopupHost, site: Site) -> None:
    await popup.show(Corner.BOTTOM_RIGHT)
    assert popup.pid is not None
    os.kill(popup.pid, 9)
    await asyncio.to_thread(on_desktop.disappears, PAGE_COLOUR)
    await comes(lambda: not popup.alive)

    await popup.show(Corner.BOTTOM_RIGHT)
    await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
    assert len(site.pages) == 2


async def test_closing_it_by_the_window_manager_hides_it_and_says_so(on_desktop: "Desktop", site: Site) -> None:
    gone = asyncio.Event()
    popup = PopupHost(site.url, keep_warm_s=300, command=COMMAND, hidden=gone.set)
    await popup.show(Corner.BOTTOM_RIGHT)
    await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
    on_desktop.ask("xdotool", "windowactivate", "--sync", on_desktop.window("AI Popup"), "key", "alt+F4")
    await asyncio.wait_for(gone.wait(), 10)
    await asyncio.to_thread(on_desktop.disappears, PAGE_COLOUR)

    assert (popup.alive, popup.visible) == (True, False)
    await popup.close()


async def test_it_ends_when_it_was_hidden_for_long(on_desktop: "Desktop", site: Site) -> None:
    popup = PopupHost(site.url, keep_warm_s=0, command=COMMAND)
    await popup.show(Corner.BOTTOM_RIGHT)
    await popup.hide()

    await comes(lambda: not popup.alive)
    await popup.close()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/popup", "SITE&used"])
async def test_a_page_that_does_not_come_is_a_failure_and_leaves_no_window(on_desktop: "Desktop", site: Site, address: str) -> None:
    async def wrong() -> str:
        return address.replace("SITE", await site.url())

    popup = PopupHost(wrong, keep_warm_s=300, command=COMMAND)
    with pytest.raises(PopupFailed):
        await popup.show(Corner.BOTTOM_RIGHT)
    assert not popup.alive
    assert on_desktop.windows("AI Popup") == []


async def test_without_a_display_it_says_so(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(NoDisplay):
        await PopupHost(site.url, keep_warm_s=300, command=COMMAND).show(Corner.BOTTOM_RIGHT)


def test_it_never_outlives_the_agent(on_desktop: "Desktop") -> None:
    reader, writer = os.pipe()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(COMMAND, stdin=reader, stdout=quiet, stderr=quiet, env=on_desktop.environment) as process:
        os.close(reader)
        os.close(writer)
        assert process.wait(60) == 0


async def test_a_folder_is_chosen_in_a_dialog(on_desktop: "Desktop", popup: PopupHost, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    chosen = asyncio.create_task(popup.choose_folder("Choose a folder", "en"))
    await asyncio.sleep(0)
    dialog = await asyncio.to_thread(on_desktop.window, "Choose a folder")
    on_desktop.ask("xdotool", "windowactivate", "--sync", dialog)
    await asyncio.sleep(0.5)
    on_desktop.screenshot(tmp_path / "dialog.png")
    on_desktop.ask("xdotool", "type", "--delay", "20", str(tmp_path / "photos"))
    on_desktop.keys("Return")

    assert await asyncio.wait_for(chosen, 20) == str(tmp_path / "photos")


async def test_the_dialog_speaks_the_programs_language(on_desktop: "Desktop", popup: PopupHost, tmp_path: Path) -> None:
    """Seen by its buttons' letters: a dialog in another language has other pixels, and in English again the same."""
    seen: list[bytes] = []
    for language in ("en", "zh-CN", "en"):
        chosen = asyncio.create_task(popup.choose_folder("Choose a folder", language))
        dialog = await asyncio.to_thread(on_desktop.window, "Choose a folder")
        on_desktop.ask("xdotool", "windowactivate", "--sync", dialog)
        await asyncio.sleep(0.5)
        on_desktop.screenshot(tmp_path / f"{language}.png")
        seen.append((tmp_path / f"{language}.png").read_bytes())
        on_desktop.keys("Escape")
        assert await asyncio.wait_for(chosen, 20) is None
    assert seen[0] != seen[1]


async def test_a_dismissed_dialog_chooses_nothing(on_desktop: "Desktop", popup: PopupHost) -> None:
    chosen = asyncio.create_task(popup.choose_folder("Choose a folder", "en"))
    dialog = await asyncio.to_thread(on_desktop.window, "Choose a folder")
    on_desktop.ask("xdotool", "windowactivate", "--sync", dialog)
    await asyncio.sleep(0.5)
    on_desktop.keys("Escape")

    assert await asyncio.wait_for(chosen, 20) is None


async def test_on_two_screens_it_shows_where_the_pointer_is(on_desktop: "Desktop", popup: PopupHost) -> None:
    on_desktop.ask("xrandr", "--setmonitor", "left", "640/170x800/210+0+0", "screen")
    on_desktop.ask("xrandr", "--setmonitor", "right", "640/170x800/210+640+0", "none")
    try:
        for pointer, left in {100: 640 - 392, 1000: 1280 - 392}.items():
            on_desktop.ask("xdotool", "mousemove", str(pointer), "300")
            await popup.show(Corner.BOTTOM_RIGHT)
            await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
            assert on_desktop.geometry(on_desktop.window("AI Popup"))[0] == left
            await popup.hide()
    finally:
        on_desktop.ask("xrandr", "--delmonitor", "left")
        on_desktop.ask("xrandr", "--delmonitor", "right")


@pytest.mark.parametrize(
    ("factor", "corner", "geometry"),
    [
        ("1.25", Corner.BOTTOM_RIGHT, (1280 - 15 - 475, 800 - 15 - 650, 475, 650)),
        ("2", Corner.BOTTOM_RIGHT, (1280 - 24 - 760, 24, 760, 752)),  # the screen has less room than it wants
        ("2", Corner.TOP_LEFT, (24, 24, 760, 752)),
    ],
)
async def test_on_a_scaled_screen_it_keeps_its_corner_and_never_reaches_beyond_the_edge(
    on_desktop: "Desktop", site: Site, monkeypatch: pytest.MonkeyPatch, factor: str, corner: Corner, geometry: tuple[int, int, int, int]
) -> None:
    monkeypatch.setenv("QT_SCALE_FACTOR", factor)
    popup = PopupHost(site.url, keep_warm_s=300, command=COMMAND)
    try:
        await popup.show(corner)
        await asyncio.to_thread(on_desktop.appears, PAGE_COLOUR)
        assert on_desktop.geometry(on_desktop.window("AI Popup")) == geometry
    finally:
        await popup.close()
