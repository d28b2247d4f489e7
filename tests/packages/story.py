"""What the chapters of a story on a bare system share: its photos and settings, and the questions asked of the program and its display."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tests.packages.bare_system import HOME, UID, BareSystem

PHOTOS = f"{HOME}/Pictures/家 and friends"
SETTINGS = f"""
[library]
key_home = "file"
[sources]
settle_ms = 100
[[folders]]
path = "{PHOTOS}"
"""


@dataclass
class Story:
    """What later chapters must know of earlier ones."""

    system: BareSystem
    display: str
    before: set[str] = field(default_factory=set)

    def windows(self) -> list[str]:
        """Names of the visible windows."""
        return windows(self.display)

    def status(self) -> dict[str, object]:
        told: dict[str, object] = json.loads(self.system.run("ai-popup", "status", "--json"))
        return told

    def drop(self, photo: Path, name: str) -> None:
        target = self.system.root / PHOTOS.lstrip("/") / name
        shutil.copyfile(photo, target)
        shutil.chown(target, UID, UID)

    def settle(self) -> None:
        """The folder for photos and the settings that name it."""
        self.system.run("mkdir", "-p", PHOTOS, f"{HOME}/.config/ai-popup")
        self.system.run("sh", "-c", 'printf %s "$1" > ~/.config/ai-popup/settings.toml', "sh", SETTINGS)

    def start(self, *words: str, **environment: str) -> Path:
        """As the user, in a session of its own. Returns the file that gets what it says on standard error."""
        said = f"{environment.get('HOME', HOME)}/said.txt"
        self.system.run("sh", "-c", 'exec setsid -f "$@" >/dev/null 2>"$HOME/said.txt" </dev/null', "sh", *words, **environment)
        return self.system.root / said.lstrip("/")

    def answers(self) -> bool | None:
        """Whether the agent answers, which it does a moment after it is there."""
        return self.system.says("", "ai-popup", "status")

    def left(self) -> set[str]:
        """What bears the program's name and came since `before`, but for what it keeps in its user's home."""
        home = HOME.lstrip("/")
        kept = (f"{home}/.local/share/ai-popup", f"{home}/.config/ai-popup", f"{home}/.cache/ai-popup", f"{home}/.local/state/ai-popup")
        new = self.system.files() - self.before
        return {path for path in new if ("ai-popup" in path.lower() or "ai_popup" in path.lower()) and not path.startswith(kept)}


def windows(display: str) -> list[str]:
    """Names of the visible windows."""
    asked = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", ".*", "getwindowname", "%@"],
        env={"DISPLAY": display, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return asked.stdout.splitlines()


def colours(display: str) -> int:
    """How many colours are on the screen: an empty page has a few."""
    import mss

    with mss.MSS(display=display) as screen:
        shot = screen.grab(screen.monitors[0])
    small = Image.frombytes("RGB", shot.size, shot.rgb).resize((320, 200))
    return len(set(small.get_flattened_data()))
