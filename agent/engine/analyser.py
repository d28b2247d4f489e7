"""What looks at images: one task, and who does it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from agent.domain.face import Analysis
from agent.domain.image import Recipe


@dataclass(frozen=True, slots=True)
class Analyse:
    """One image to analyse. With `recipe.embedder` None neither chips nor embeddings are computed."""

    path: str
    recipe: Recipe
    min_score: float = 0.5
    min_face: float = 20.0
    keep_chips: bool = True  # False: embeddings for an output only
    thumbnail: int | None = None  # longer side of a small picture to make along with it, in pixels
    thorough: bool = False  # find faces to cover them: smaller and less sure ones too; and count frames


class Analyser(Protocol):
    """Turns files into analyses. Implementations: the pool of engine processes, and the same pipeline in this process (tests, tools)."""

    async def analyse(self, task: Analyse) -> Analysis:
        """Raises ImageError, EngineError or ModelError."""
        ...

    async def preview(self, path: str, side: int) -> bytes:
        """The upright image as JPEG, its longer side at most `side` pixels. Raises ImageError or EngineError."""
        ...

    def forget(self) -> None:
        """Hold nothing of people's faces in memory any more: recognition was switched off."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class AnalysisEngine:
    """What analyses photos, and what it needs."""

    analyser: Analyser
    slots: Callable[[], int]
    """how many tasks at once keep it busy"""
    supply: Callable[[Recipe], Awaitable[None]]
    """gets the models of a recipe, unless they are there; raises ModelError, StoreError"""
