"""The analysis of images: its task, and its implementations."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from agent.domain.face import Analysis, Box
from agent.domain.image import Recipe


@dataclass(frozen=True, slots=True)
class Analyse:
    """One image to analyse. With `recipe.embedder` None, no chips or embeddings are computed."""

    path: str
    recipe: Recipe
    min_score: float = 0.5
    min_face: float = 20.0
    keep_chips: bool = True  # False: only embeddings, for output
    thumbnail: int | None = None  # longer side of a thumbnail to create, in pixels
    thorough: bool = False  # for covering: include smaller and less certain faces; and count frames


class Analyser(Protocol):
    """Turns files into analyses. Implementations: the pool of engine processes, and the same pipeline in this process (tests, tools)."""

    async def analyse(self, task: Analyse) -> Analysis:
        """Analyse an image. Raises ImageError, EngineError or ModelError."""
        ...

    async def preview(self, path: str, side: int, hidden: tuple[Box, ...] = ()) -> bytes:
        """Return the upright image as JPEG, its longer side at most `side` pixels. Raises ImageError or EngineError.

        What is in the boxes of `hidden`, in fractions of the image, is covered.
        """
        ...

    def forget(self) -> None:
        """Release people's face data from memory: recognition was switched off."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AnalysisEngine:
    """The analyser of photos, and its requirements."""

    analyser: Analyser
    slots: Callable[[], int]
    """how many tasks at once keep it busy"""
    supply: Callable[[Recipe], Awaitable[None]]
    """gets the models of a recipe, unless they are there; raises ModelError, StoreError"""
