"""A tutorial as described in its file: the spoken text, scene by scene, and the actions meanwhile."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh-CN")
FOLDER = Path(__file__).parent.parent / "tutorials"


@dataclass(frozen=True, slots=True)
class Scene:
    says: Mapping[str, str]  # language -> the text, spoken and shown as caption
    acts: tuple[str, ...] = ()  # a verb and its object each: see `agent_stage`
    looped: bool = False  # part of the short loop for the docs


@dataclass(frozen=True, slots=True)
class Play:
    name: str
    scenes: tuple[Scene, ...]
    photos: tuple[str, ...] = ()  # samples in the watched folder at the start
    settings: Mapping[str, str] | None = None
    watched: bool = True  # whether the folder is watched at the start


def read(file: Path) -> Play:
    """Read the file. Raises ValueError if a scene lacks a language."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    begin = told.get("begin", {})
    return Play(
        file.stem,
        tuple(_scene(scene) for scene in told["scene"]),
        tuple(begin.get("photos", ())),
        begin.get("settings", {}),
        begin.get("watched", True),
    )


def _scene(told: Mapping[str, Any]) -> Scene:
    if missing := [language for language in LANGUAGES if not told.get(language)]:
        raise ValueError(f"a scene says nothing in {', '.join(missing)}")
    return Scene({language: told[language] for language in LANGUAGES}, tuple(told.get("do", ())), bool(told.get("loop")))
