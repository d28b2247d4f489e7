"""Films the tutorials in scripts/tutorials: the real program in a temporary home, in both languages, into build/tutorials.

`.venv/bin/python scripts/tutorials.py [NAME ...] [--language zh-CN]`. Needs Xvfb, openbox, xdotool, Chromium, ffmpeg and espeak-ng.
Only the public-domain samples are shown.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.domain.errors import AgentError  # noqa: E402
from agent.features.models.model_store import ModelStore  # noqa: E402
from agent.infrastructure.core.i18n import Texts  # noqa: E402
from scripts.demo import fetch  # noqa: E402
from scripts.film.camera import SIZE  # noqa: E402
from scripts.film.film import film  # noqa: E402
from scripts.film.hands import hand  # noqa: E402
from scripts.film.play import FOLDER, LANGUAGES, Play, read  # noqa: E402
from scripts.film.stage import Stage, browser_window  # noqa: E402
from scripts.program import agent, answering, new_home  # noqa: E402
from scripts.screens import display  # noqa: E402

# A pointer that is visible even in a small picture.
CURSOR = {"XCURSOR_THEME": "Adwaita", "XCURSOR_SIZE": "36"}
TARGET = ROOT / "build" / "tutorials"


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these tutorials")
    parser.add_argument("--language", action="append", choices=LANGUAGES, help="only in this language")
    chosen = parser.parse_args()
    plays = [read(file) for file in sorted(FOLDER.glob("*.toml")) if not chosen.names or file.stem in chosen.names]
    samples, models = fetch()
    for play in plays:
        for language in chosen.language or LANGUAGES:
            with tempfile.TemporaryDirectory(prefix="ai-popup-tutorial-", ignore_cleanup_errors=True) as folder:
                print(play_it(play, language, samples, models, Path(folder)), flush=True)
    return 0


def play_it(play: Play, language: str, samples: Path, models: ModelStore, folder: Path) -> Path:
    """Film one tutorial in one language, in a separate home."""
    os.environ.update(CURSOR, HOME=str(folder))
    watched = folder / {"en": "Photos", "zh-CN": "照片"}[language]
    watched.mkdir()
    for photo in play.photos:
        shutil.copy(samples / photo, watched)
    given = {"general.language": language, "general.theme": "light", "popup.seconds": "60", "engine.workers": "1", **(play.settings or {})}
    paths, settings = new_home(folder / "home", models, given)
    if play.watched:
        settings.add_folder(watched)
    with display(SIZE), sync_playwright() as playwright, hand(os.environ["DISPLAY"]) as pointer, agent("--no-tray") as process:
        client = answering(paths, process)
        with browser_window(playwright, folder / "browser", language) as page:
            stage = Stage(client, page, pointer, Texts(language), samples, watched)
            stage.until(lambda status: status.images == (len(play.photos) if play.watched else 0) and not status.queued)
            if play.watched and play.photos:
                stage.hide_popup()
            stage.enter()
            try:
                return film(play, language, os.environ["DISPLAY"], stage.act, TARGET)
            except Exception:
                page.screenshot(path=TARGET / f"{play.name}.{language}.failed.png")
                raise
            finally:
                stage.leave()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AgentError as error:
        sys.exit(str(error))
