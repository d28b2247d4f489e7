"""The demo: a separate library in a temporary folder, the sample photos dropped into a watched folder, and a table of the results.

`scripts/run.py demo [--exit]` starts it in the virtual environment. `--exit` ends it after the table.
"""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.desktop.system.display import display_available  # noqa: E402
from agent.desktop.system.external_apps import open_in_browser  # noqa: E402
from agent.domain.errors import AgentError, AgentUnreachable  # noqa: E402
from agent.features.library.recipes import everything  # noqa: E402
from agent.features.library.schemas import ImageOut, ImagePage  # noqa: E402
from agent.features.models.model_store import ModelStore  # noqa: E402
from agent.infrastructure.core.i18n import Texts  # noqa: E402
from agent.infrastructure.core.paths import HOME_VARIABLE  # noqa: E402
from agent.infrastructure.core.settings import Settings  # noqa: E402
from agent.interfaces.web.client import Client  # noqa: E402
from scripts.program import agent, answering, new_home, until  # noqa: E402

# The only person that the demo names; the program recognises the others.
NAMED_PHOTO, NAME = "obama.jpg", "Barack Obama"
WORK_LIMIT_S = 300.0
BETWEEN_PHOTOS_S = 0.4

TEXTS = Texts()


def say(key: str, **params: str | int) -> None:
    print(TEXTS(f"demo.{key}", **params), flush=True)


def main() -> int:
    """Returns the exit code."""
    return run("demo", "demo", demo)


def run(command: str, texts: str, shown: Callable[[Path, bool], int]) -> int:
    """Read the arguments and show the demo in a temporary folder that ends with it. Returns the exit code.

    `texts` is where its help is in the catalogue. `shown` takes the folder and whether it ends by itself, and returns the exit code.
    """
    parser = argparse.ArgumentParser(prog=f"run.py {command}", description=TEXTS(f"{texts}.help"))
    parser.add_argument("--exit", action="store_true", dest="ends", help=TEXTS(f"{texts}.help_exit"))
    ends: bool = parser.parse_args().ends
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C: what it started ends with it
    try:
        with tempfile.TemporaryDirectory(prefix="ai-popup-demo-", ignore_cleanup_errors=True) as folder:
            return shown(Path(folder), ends)
    except AgentError as error:
        print(f"{TEXTS('ui.sentences', cause=TEXTS.cause(error), remedy=TEXTS.remedy(error))} [{error.code}]", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def demo(folder: Path, ends: bool) -> int:
    samples, models = fetch()
    home, watched = folder / "home", folder / "photos"
    watched.mkdir()
    paths, settings = new_home(home, models, {"recognition.enabled": "true"})
    settings.add_folder(watched)
    with agent() as process:
        client = answering(paths, process)
        say("watching", folder=str(watched))
        drop(samples, watched)
        images = settled(client, count=len(list(samples.iterdir())))
        name_one(client, images)
        print_table(images_of(client))
        say("terms")
        if not ends:
            show(client)
            say("stays", command=f"{HOME_VARIABLE}={home} python3 {ROOT / 'scripts' / 'run.py'} open")
            process.wait()
    return 0


def fetch() -> tuple[Path, ModelStore]:
    """Return the sample photos and the default models, downloaded or from an earlier run."""
    store = ModelStore(ROOT / "build" / "cache" / "models")
    used = everything(Settings()).models
    for info in store.list():
        if info.recipe is None or info.recipe in used:
            say("fetching", name=TEXTS(f"models.{info.name}.name"))
            store.fetch(info.name)
    return store.path("samples"), store


def drop(samples: Path, watched: Path) -> None:
    """Add them as a camera or a phone would: one after the other."""
    for sample in sorted(samples.iterdir()):
        shutil.copy(sample, watched / sample.name)
        time.sleep(BETWEEN_PHOTOS_S)


def settled(client: Client, *, count: int) -> list[ImageOut]:
    """Wait until every photo was scanned. Raises AgentUnreachable."""
    try:
        until(client, lambda status: status.images + status.failed >= count and not status.queued, limit_s=WORK_LIMIT_S)
    except TimeoutError as error:
        raise AgentUnreachable from error
    return images_of(client)


def images_of(client: Client) -> list[ImageOut]:
    return sorted(ImagePage.model_validate(client.get_json("/api/images?limit=200")).items, key=lambda image: image.name)


def name_one(client: Client, images: list[ImageOut]) -> None:
    photo = next(image for image in images if image.name == NAMED_PHOTO)
    client.post_json("/api/people", {"face_id": photo.faces[0].id, "name": NAME})
    say("named", photo=NAMED_PHOTO, name=NAME)


def print_table(images: list[ImageOut]) -> None:
    rows = [[TEXTS(f"demo.column.{name}") for name in ("photo", "size", "faces", "who")]]
    rows += [[image.name, f"{image.width} × {image.height}", str(len(image.faces)), who(image)] for image in images]
    print_rows(rows)


def print_rows(rows: list[list[str]]) -> None:
    """Print them in columns, below the first as heading."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for number, row in enumerate(rows):
        print("  ".join(cell + " " * (widths[column] - width(cell)) for column, cell in enumerate(row)).rstrip())
        if number == 0:
            print("  ".join("─" * wide for wide in widths))
    print(flush=True)


def who(image: ImageOut) -> str:
    return ", ".join(
        TEXTS(f"demo.who.{face.certainty}", name=face.person or "", agree=face.agree, references=face.references)
        if face.certainty
        else TEXTS("demo.who.unknown")
        for face in image.faces
    )


def width(text: str) -> int:
    """Return the terminal columns: a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def show(client: Client) -> None:
    """Print where the UI is; without a display the popup is a page in the browser."""
    if display_available():
        say("popup_shown")
        with contextlib.suppress(AgentError):
            client.post("/api/popup/show")
        return
    url = client.session_url("popup")
    if not open_in_browser(url):
        say("in_browser", url=url)


if __name__ == "__main__":
    sys.exit(main())
