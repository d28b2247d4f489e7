"""Whether two photos show the same person: computed for the answer only, stored nowhere."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.domain.errors import UnfitReference
from agent.domain.face import Face
from agent.domain.people import Bounds
from agent.domain.reference import distance, why_not
from agent.engine.analyser import Analyse, Analyser


@dataclass(frozen=True, slots=True)
class Verified:
    distance: float
    same: bool
    threshold: float  # same up to this distance


async def verify(analyser: Analyser, task: Callable[[str], Analyse], one: str, other: str, bounds: Bounds) -> Verified:
    """Raises ImageError, UnfitReference (with parameter `path`), EngineError, ModelError."""
    faces: list[Face] = []
    for path in (one, other):
        found = (await analyser.analyse(task(path))).faces
        if (unfit := why_not(found)) is not None:
            assert isinstance(unfit, UnfitReference)
            raise type(unfit)(**unfit.params | {"path": path})
        faces.append(found[0])
    apart = distance(*(face.embedding or b"" for face in faces))
    return Verified(apart, apart <= bounds.certain, bounds.certain)
