"""A tutorial as it stands in its file: what is said, scene by scene, and what is done meanwhile."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "zh-CN")
FOLDER = Path(__file__).parent.parent / "tutorials"


@dataclass(frozen=True, slots=True)
class Scene:
    says: Mapping[str, str]  # language -> what is said, and shown as caption
    acts: tuple[str, ...] = ()  # a verb and what it is about each: see `agent_stage`
    looped: bool = False  # part of the short loop for the docs


@dataclass(frozen=True, slots=True)
class Play:
    name: str
    scenes: tuple[Scene, ...]
    photos: tuple[str, ...] = ()  # samples that lie in the watched folder as it begins
    settings: Mapping[str, str] | None = None
    watched: bool = True  # whether the folder is watched as it begins


def read(file: Path) -> Play:
    """Raises ValueError if a scene lacks a language."""
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
