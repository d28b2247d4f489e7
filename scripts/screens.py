"""Creates the screenshots in `docs/screens`: the real program in a temporary home, its popup and its pages, in both languages and themes.

`.venv/bin/python scripts/screens.py` writes them; `--check` creates them in `build/screens` and checks that each
exists and is not empty.
Needs Xvfb, openbox, xdotool and Chromium. Only the public-domain samples and drawn pictures are shown.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.desktop.popup.window_backend import HEIGHT, WIDTH  # noqa: E402
from agent.domain.errors import AgentError  # noqa: E402
from scripts.announced import announce, packaged_agent, take_back  # noqa: E402
from scripts.demo import NAME, fetch  # noqa: E402
from scripts.program import answering, new_home, started  # noqa: E402
from scripts.screen_stage import LOOKS, WELCOMES, Stage  # noqa: E402
from scripts.screen_stage import ask as ask  # noqa: E402  (benchmarks take it from here)
from scripts.setup.pictures import landscape, variations  # noqa: E402

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


def play(stage: Stage, samples: Path) -> None:
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
