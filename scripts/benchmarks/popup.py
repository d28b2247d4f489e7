"""How soon the popup is painted in its real window, on its own screen: from the request until the screen shows the final picture."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import mss
import numpy as np

from agent.desktop.popup.popup import PopupHost
from agent.desktop.popup.window_backend import HEIGHT, WIDTH
from agent.infrastructure.core.settings import Corner
from agent.interfaces.web.client import Client
from scripts.benchmarks.rows import Row, median
from scripts.screens import display

FIRST, WARM = 5, 20
FIRST_MS, WARM_MS = 1500, 100
# The quarter of the screen that contains it.
AREA = {"left": 640, "top": 200, "width": 640, "height": 600}
STILL_S, LIMIT_S, BETWEEN_S = 1.2, 30.0, 0.002
# This share of the changed pixels looks as in the end: the rest may be a pulse or the last shade of a fade.
PAINTED = 0.98
LEAST_CHANGED = 0.9


@dataclass
class Screen:
    """Records the screen in a separate thread; keeps every picture that differs from the previous one."""

    pictures: list[tuple[float, bytes]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        with mss.MSS() as screen:
            while not self._ended.is_set():
                picture = bytes(screen.grab(AREA).raw)
                if not self.pictures or picture != self.pictures[-1][1]:
                    self.pictures.append((time.perf_counter(), picture))
                self._ended.wait(BETWEEN_S)

    async def still(self) -> None:
        """Wait until something changed and then stayed the same for a while. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT_S):
            while len(self.pictures) < 2 or time.perf_counter() - self.pictures[-1][0] < STILL_S:  # noqa: ASYNC110 - nothing tells when
                await asyncio.sleep(0.02)

    def end(self) -> None:
        self._ended.set()


def rows(client: Client) -> Iterator[Row]:
    """Yield the rows. `first` starts the window's process each time; its files are in the system's cache from the second time on."""
    with display():
        first, warm = asyncio.run(_measured(client))
    yield median("popup_first_ms", first, FIRST_MS)
    yield median("popup_warm_ms", warm, WARM_MS)


async def _measured(client: Client) -> tuple[list[float], list[float]]:
    async def url() -> str:
        return await asyncio.to_thread(client.session_url, "popup")

    first = []
    host = PopupHost(url, keep_warm_s=600)
    try:
        for _ in range(FIRST):
            await host.close()
            first.append(await _shown(host))
        warm = []
        for _ in range(WARM):
            await host.hide()
            await asyncio.sleep(STILL_S)
            warm.append(await _shown(host))
    finally:
        await host.close()
    return first, warm


async def _shown(host: PopupHost) -> float:
    """Return the milliseconds from the request until it is painted."""
    screen = Screen()
    watching = asyncio.create_task(asyncio.to_thread(screen.watch))
    try:
        while not screen.pictures:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.01)
        began = time.perf_counter()
        await host.show(Corner.BOTTOM_RIGHT)
        await screen.still()
    finally:
        screen.end()
        await watching
    return (painted(screen.pictures) - began) * 1000


def painted(pictures: list[tuple[float, bytes]]) -> float:
    """Return the time of the first picture that looks like the last. The first is the screen before; each has four bytes per pixel.

    Raises RuntimeError if they differ by less than the window's size: then it was not the window.
    """
    before, after = (np.frombuffer(pictures[place][1], np.uint32) for place in (0, -1))
    changed = before != after
    if np.count_nonzero(changed) < LEAST_CHANGED * WIDTH * HEIGHT:
        raise RuntimeError("the popup was not seen on its screen")
    for at, picture in pictures[1:]:
        if np.mean(np.frombuffer(picture, np.uint32)[changed] == after[changed]) >= PAINTED:
            return at
    return pictures[-1][0]
