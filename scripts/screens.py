"""Creates the screenshots in `docs/screens`: the real program in a temporary home, its popup and its pages, in both languages and themes.

`.venv/bin/python scripts/screens.py` writes them; `--check` creates them in `build/screens` and checks that each
exists and is not empty.
Needs Xvfb, openbox, xdotool and Chromium. Only the public-domain samples and drawn pictures are shown.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import mss
from PIL import Image, ImageChops, ImageOps
from playwright.sync_api import Page, sync_playwright
from pydantic import TypeAdapter

from scripts.page_conditions import wait_for_condition

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.core.config_file import SettingsFile  # noqa: E402
from agent.core.paths import AppPaths  # noqa: E402
from agent.desktop.popup_shell import HEIGHT, WIDTH  # noqa: E402
from agent.domain.errors import AgentError  # noqa: E402
from agent.library.schemas import ImageOut, ImagePage  # noqa: E402
from agent.people.schemas import PersonOut  # noqa: E402
from agent.redaction.schemas import RedactionBatchOut, RedactionItems  # noqa: E402
from agent.screen.schemas import CaptureOut, CaptureRequest  # noqa: E402
from agent.web.client import Client  # noqa: E402
from agent.web.schemas import Status  # noqa: E402
from agent.web.whereabouts import find  # noqa: E402
from scripts.announced import announce, packaged_agent, take_back  # noqa: E402
from scripts.demo import NAME, fetch  # noqa: E402
from scripts.program import answering, new_home, started, until  # noqa: E402
from scripts.setup.pictures import landscape, variations  # noqa: E402
from scripts.signing_in import sign_in  # noqa: E402
from tests.shown import shown  # noqa: E402

LOOKS = {"en-light": ("en", "light"), "zh-dark": ("zh-CN", "dark")}
WELCOMES = ("popup-welcome", "popup-welcome-reach", "popup-welcome-done")
POPUPS = (*WELCOMES, "popup", "popup-no-face", "popup-failed", "popup-burst", "popup-burst-over", "popup-named", "popup-capture")
PAGES = (
    "first-run",
    "library-empty",
    "library",
    "library-photo",
    "people",
    "person",
    "covers",
    "cover",
    "problems",
    "status",
    "settings",
    "settings-folders",
    "settings-recognition",
    "settings-watch",
    "status-update",
    "status-taken-back",
)
PAGE_SIZE = (1120, 720)
# A picture with fewer colours than this shows neither photo nor text.
LEAST_COLOURS = {"library-empty": 40, "problems": 60}
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
BURST = 40


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="make them in build/screens and look whether each is all right")
    check: bool = parser.parse_args().check
    with tempfile.TemporaryDirectory(prefix="ai-popup-screens-", ignore_cleanup_errors=True) as folder:
        target = ROOT / ("build" if check else "docs") / "screens"
        if check:
            shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        make(Path(folder), target)
        bad = [trouble for trouble in (wrong(target, name, look) for name in POPUPS + PAGES for look in LOOKS) if trouble]
    print("\n".join(bad) or f"{len(POPUPS + PAGES) * len(LOOKS)} pictures")
    return 1 if bad else 0


def wrong(folder: Path, name: str, look: str) -> str | None:
    """Return the fault of a picture, if any."""
    path = folder / f"{name}-{look}.png"
    if not path.is_file():
        return f"{path.name}: missing"
    picture = Image.open(path).convert("RGB")
    if picture.size != ((WIDTH, HEIGHT) if name in POPUPS else PAGE_SIZE):
        return f"{path.name}: size {picture.size}"
    colours = len(picture.getcolors(picture.width * picture.height) or ())
    return f"{path.name}: blank ({colours} colours)" if colours < LEAST_COLOURS.get(name, 100) else None


def make(folder: Path, target: Path) -> None:
    samples, models = fetch()
    home, watched = folder / "home", folder / "Photos"
    watched.mkdir()
    os.environ["HOME"] = str(folder)  # the welcome suggests none of the current user's folders
    paths, settings = new_home(home, models, {"popup.seconds": "3600", "engine.workers": "1"})
    with display(), packaged_agent(paths, folder / "word", "--no-tray") as process, browser() as page:
        stage = Stage(answering(paths, process), settings, paths, watched, target, page)
        play(stage, samples)


def play(stage: "Stage", samples: Path) -> None:
    """Play the scenes, one after the other, in one library."""
    stage.open()
    stage.pages("first-run")
    stage.welcome()
    stage.until(lambda status: len(status.folders) == 1)
    stage.pages("library-empty")

    stage.drop(samples / "biden.jpg", "IMG_0412.jpg")
    stage.popup("popup")

    landscape(7).save(stage.watched / "IMG_0413.jpg", quality=92)
    stage.until(lambda status: status.images == 2 and not status.queued)
    stage.popup("popup-no-face")

    whole = (samples / "obama2.jpg").read_bytes()
    broken = {"IMG_0414.jpg": whole[: len(whole) // 3], "IMG_0415.png": b"not a picture at all", "IMG_0416.jpg": b""}
    for name, content in reversed(broken.items()):
        stage.fail(name, content)
    stage.popup("popup-failed")
    stage.pages("problems", "#problems")

    photos = iter(variations(samples, 2 * BURST))
    for number, look in enumerate(LOOKS):
        stage.look(look)
        for place in range(BURST):
            next(photos).save(stage.watched / f"IMG_{1000 + number * BURST + place}.jpg", quality=90)
        stage.client.post("/api/popup/show")
        stage.until(lambda status: status.burst is not None and status.burst.done > BURST // 4)
        stage.grab(f"popup-burst-{look}", settle=False)
        stage.until(lambda status: not status.queued)
        stage.grab(f"popup-burst-over-{look}")

    stage.settings.set("recognition.enabled", "true")
    stage.until(lambda status: status.recognition and not status.queued)
    known = stage.drop(samples / "obama.jpg", "IMG_1201.jpg")
    stage.client.post_json("/api/people", {"face_id": known.faces[0].id, "name": NAME})
    recognised = stage.drop(samples / "obama3.jpg", "IMG_1202.jpg")
    stage.until(lambda status: not status.queued)
    stage.popup("popup-named")
    stage.capture([samples / "biden.jpg", samples / "obama2.jpg"])
    stage.pages("library")
    stage.pages("library-photo", f"#photo-{recognised.id}")
    stage.pages("people", "#people")
    stage.pages("person", f"#people/{stage.who(NAME)}")
    batch, item = stage.cover([known.id, recognised.id])
    stage.pages("covers", f"#covers/{batch}")
    stage.pages("cover", f"#covers/{batch}/{item}")
    stage.pages("status", "#status")
    stage.settings.set("popup.seconds", "12")  # the long display was for the screenshots only
    stage.pages("settings", "#settings/popup")
    stage.pages("settings-folders", "#settings/folders")
    stage.pages("settings-recognition", "#settings/recognition")
    stage.pages("settings-watch", "#settings/watch_screen")
    announce(stage.paths)
    stage.settings.set("updates.channel", "stable")
    stage.until(lambda status: status.update is not None)
    stage.pages("status-update", "#status")
    take_back(stage.paths)
    stage.settings.set("updates.channel", "auto")
    stage.until(lambda status: status.taken_back is not None)
    stage.pages("status-taken-back", "#status")


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
            taken = self.client.call_patiently(
                "/api/captures", CaptureOut, CaptureRequest(region=f"40,40,{picture.width},{picture.height}")
            )
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


# -- environment -----------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def display(size: tuple[int, int] = (1280, 800)) -> Iterator[None]:
    """Yield a separate screen with a window manager, so that the pictures are the same on every machine."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{size[0]}x{size[1]}x24", "-nolisten", "tcp", "-noreset"]
    with started(*command, pass_fds=(writer,)):
        os.close(writer)
        with os.fdopen(reader) as numbers:
            os.environ["DISPLAY"] = f":{numbers.readline().strip()}"
        os.environ.pop("WAYLAND_DISPLAY", None)
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        with started("openbox"):
            ask("xdotool", "mousemove", "100", "100")
            yield


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    executable = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    as_root = ["--no-sandbox"] if sys.platform != "win32" and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=as_root)
        yield chromium.new_page(viewport={"width": PAGE_SIZE[0], "height": PAGE_SIZE[1]}, reduced_motion="reduce")
        chromium.close()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AgentError as error:
        sys.exit(str(error))
