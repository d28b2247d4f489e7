"""Finds the program's data files: under `agent/_data` once installed, beside `agent/` in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_INSTALLED = _PACKAGE / "_data"
CHECKOUT = {
    "build": "assets/build",  # set by a packager: a checkout has none
    "config": "assets/config",
    "help": "ui/dist-help",
    "icons": "assets/icons",
    "locales": "assets/locales",
    "models": "assets/models",
    "ui": "ui/dist",
}


def resource(kind: str) -> Path:
    """Return the folder of one kind: "build", "config", "help", "icons", "locales", "models" or "ui"."""
    return _INSTALLED / kind if _INSTALLED.is_dir() else _PACKAGE.parent / CHECKOUT[kind]
