"""The running program, its popup and its pages, for screenshots."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import mss
from PIL import Image, ImageChops, ImageOps
from playwright.sync_api import Page
from pydantic import TypeAdapter

from agent.desktop.capture.schemas import CaptureOut, CaptureRequest
from agent.desktop.popup.window_backend import HEIGHT, WIDTH
from agent.features.library.schemas import ImageOut, ImagePage
from agent.features.people.schemas import PersonOut
from agent.features.redaction.schemas import RedactionBatchOut, RedactionItems
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import find
from agent.interfaces.web.schemas import Status
from scripts.page_conditions import wait_for_condition
from scripts.program import until
from scripts.signing_in import sign_in
from tests.support.image_window import shown

LOOKS = {"en-light": ("en", "light"), "zh-dark": ("zh-CN", "dark")}
WELCOMES = ("popup-welcome", "popup-welcome-reach", "popup-welcome-done")
LIMIT_S = 240.0  # CI takes the screenshots while the tests run
# The temporary home's name differs each time: the pictures show a typical one.
SHOWN_HOME = "/home/sam"
MASK = """(names) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) for (const [from, to] of names) texts.currentNode.data = texts.currentNode.data.replaceAll(from, to)
}"""
LOADED = (
    """() => !document.querySelector('.loading') && [...document.images].every(({ loading, complete }) => loading === 'lazy' || complete)"""
)


@dataclass
class Stage:
    """The running program, and the tools for taking screenshots."""

    client: Client
    settings: SettingsFile
    paths: AppPaths
    watched: Path
    target: Path
    page: Page

    def open(self) -> None:
        sign_in(self.page, self.client)

    def drop(self, photo: Path, name: str) -> ImageOut:
        """Put a photo into the watched folder and wait until it was scanned."""
        shutil.copy(photo, self.watched / name)
        found: list[ImageOut] = []

        def there(status: Status) -> bool:
            found[:] = [image for image in self._newest() if image.name == name and not status.queued]
            return bool(found)

        self.until(there)
        return found[0]

    def fail(self, name: str, content: bytes) -> None:
        """Put an unreadable file into the watched folder, and wait until it failed."""
        before = self.client.status().failed
        (self.watched / name).write_bytes(content)
        self.until(lambda status: status.failed > before and not status.queued)

    def _newest(self) -> tuple[ImageOut, ...]:
        return ImagePage.model_validate(self.client.get_json("/api/images?limit=5")).items

    def who(self, name: str) -> int:
        """Return the person of that name."""
        people = TypeAdapter(tuple[PersonOut, ...]).validate_python(self.client.get_json("/api/people"))
        return next(person.id for person in people if person.name == name)

    def cover(self, image_ids: Sequence[int]) -> tuple[str, int]:
        """Cover photos and wait for the copies. Return the batch and one of its items."""
        wish = {"images": list(image_ids), "out": str(self.watched.parent / "Safe")}
        batch = RedactionBatchOut.model_validate(self.client.post_json("/api/redactions", wish)).uid
        deadline = time.monotonic() + LIMIT_S
        while True:
            items = RedactionItems.model_validate(self.client.get_json(f"/api/redactions/{batch}/items")).items
            if all(item.state != "planned" for item in items):
                return batch, items[0].id
            if time.monotonic() > deadline:
                raise TimeoutError("the covered copies are not made")
            time.sleep(0.2)

    def capture(self, photos: Sequence[Path]) -> None:
        """Show the popup with a capture of the screen that contains these photos side by side."""
        width, height = 288, 360
        picture = Image.new("RGB", (width * len(photos), height))
        for place, photo in enumerate(photos):
            picture.paste(ImageOps.fit(Image.open(photo).convert("RGB"), (width, height), centering=(0.5, 0.0)), (place * width, 0))
        file = self.paths.cache / "screen.png"
        picture.save(file)
        with shown(os.environ["DISPLAY"], file, 40, 40, *picture.size):
            taken = self.client.post_long("/api/captures", CaptureOut, CaptureRequest(region=f"40,40,{picture.width},{picture.height}"))
        self.popup("popup-capture")
        self.ask_agent("DELETE", f"/api/captures/{taken.id}")

    def ask_agent(self, method: str, path: str, body: object = None) -> None:
        """Send a request to the agent. Raises httpx.HTTPStatusError if it refuses."""
        bearer = {"authorization": f"Bearer {find(self.paths.runtime).token}"}
        httpx.request(method, f"{self.client.address}{path}", json=body, headers=bearer, timeout=LIMIT_S).raise_for_status()

    def until(self, done: Callable[[Status], bool]) -> None:
        """Wait for the program to reach a state. Raises TimeoutError."""
        until(self.client, done, limit_s=LIMIT_S)

    def look(self, look: str) -> None:
        """Change language and theme while the program runs."""
        language, theme = LOOKS[look]
        self.settings.set("general.language", language)
        self.settings.set("general.theme", theme)
        self.until(lambda status: (status.language, status.theme) == (language, theme))

    def popup(self, name: str) -> None:
        """Take the popup in both looks as it is."""
        self.client.post("/api/popup/show")
        for look in LOOKS:
            self.look(look)
            self.grab(f"{name}-{look}")

    def welcome(self) -> None:
        """Show the welcome in the popup and take each of its pages, until the folder is watched."""
        chosen = {"folders": [str(self.watched)], "recognition": False, "step": 0}
        self.ask_agent("PUT", "/api/first-run", chosen)
        for name in WELCOMES:
            self.popup(name)
            self.go_on()

    def go_on(self) -> None:
        """Click the popup's main button."""
        window = ask("xdotool", "search", "--onlyvisible", "--name", "^AI Popup$").split()[-1]
        ask("xdotool", "mousemove", "--window", window, str(WIDTH - 40), str(HEIGHT - 26), "click", "1")
        ask("xdotool", "sleep", "0.5", "mousemove", "100", "100")

    def grab(self, name: str, *, settle: bool = True) -> None:
        """Take the popup window's part of the screen, once it stands still."""
        window = ask("xdotool", "search", "--sync", "--onlyvisible", "--name", "^AI Popup$").split()[-1]
        said = dict(line.split("=", 1) for line in ask("xdotool", "getwindowgeometry", "--shell", window).splitlines())
        area = {"left": int(said["X"]), "top": int(said["Y"]), "width": int(said["WIDTH"]), "height": int(said["HEIGHT"])}
        with mss.MSS() as screen:

            def shot() -> Image.Image:
                raw = screen.grab(area)
                return Image.frombytes("RGB", raw.size, raw.rgb)

            picture = still(shot) if settle else shot()
        picture.save(self.target / f"{name}.png", optimize=True)

    def pages(self, name: str, place: str = "") -> None:
        """Take a page in the browser in both looks."""
        address = self.client.address + "/" + place
        names = [
            [str(self.paths.config), f"{SHOWN_HOME}/.config/ai-popup"],
            [str(self.paths.cache), f"{SHOWN_HOME}/.cache/ai-popup"],
            [str(self.watched.parent), SHOWN_HOME],
        ]
        for look in LOOKS:
            self.look(look)
            self.page.goto("about:blank")  # so that it is loaded again even if it is already open
            self.page.goto(address)
            self.page.wait_for_load_state("load")
            wait_for_condition(self.page, LOADED, limit_ms=int(LIMIT_S * 1000))
            self.page.wait_for_timeout(1500)  # for what the event stream brings, which never ends
            self.page.evaluate(MASK, names)
            self.page.screenshot(path=self.target / f"{name}-{look}.png")


def still(shot: Callable[[], Image.Image]) -> Image.Image:
    """Return the screen's picture once it has not changed for a while: a page needs a moment to draw its data."""
    last, since, deadline = shot(), time.monotonic(), time.monotonic() + LIMIT_S
    while time.monotonic() - since < 1.2 and time.monotonic() < deadline:
        time.sleep(0.1)
        now = shot()
        if ImageChops.difference(now, last).getbbox():
            last, since = now, time.monotonic()
    return last


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()
