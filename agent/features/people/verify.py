"""Compares the people in two photos: computed for the answer only, not stored."""

from dataclasses import dataclass

from agent.domain.errors import UnfitReference
from agent.domain.face import Face
from agent.domain.reference import check_reference, distance
from agent.features.library.recipes import embedding_task
from agent.features.people.identification import bounds_of
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Verification:
    distance: float
    same: bool
    threshold: float  # the same person up to this distance


async def verify(analyser: Analyser, settings: Settings, one: str, other: str) -> Verification:
    """Compare two photos. Raises ImageError, UnfitReference (with parameter `path`), EngineError, ModelError."""
    faces: list[Face] = []
    for path in (one, other):
        found = (await analyser.analyse(embedding_task(settings, path))).faces
        if (unfit := check_reference(found)) is not None:
            assert isinstance(unfit, UnfitReference)
            raise type(unfit)(**unfit.params | {"path": path})
        faces.append(found[0])
    bounds = bounds_of(settings)
    apart = distance(*(face.embedding or b"" for face in faces))
    return Verification(apart, apart <= bounds.certain, bounds.certain)
