"""The recipe of each photo: from the settings' own switches, and those of watched folders."""

import os

from agent.domain.image import NO_FACES, Recipe
from agent.features.library.thumbnails import SIDE
from agent.inference.engine.analyser import Analyse
from agent.infrastructure.core.settings import FaceDetector, Folder, Settings, folder_of
from agent.infrastructure.store.path_index import EVERYWHERE, FolderArea

DETECTORS = {FaceDetector.THOROUGH: "centerface-2", FaceDetector.FAST: "yunet-1"}
EMBEDDER = "mobilefacenet-2"


def recipe_of(settings: Settings, folder: Folder | None = None) -> Recipe:
    """Return the recipe for the photos of a watched folder, or of none."""
    if folder is not None and not folder.faces:
        return Recipe(NO_FACES)
    wanted = settings.recognition.enabled and (folder is None or folder.recognition)
    return Recipe(_detector(settings), EMBEDDER if wanted else None)


def recognises(settings: Settings) -> bool:
    """Return whether recognition is on, unless a folder differs."""
    return recipe_of(settings).embedder is not None


def everything(settings: Settings) -> Recipe:
    """Return the complete recipe, whatever the switches are."""
    return Recipe(_detector(settings), EMBEDDER)


def redaction_recipe(who: bool) -> Recipe:
    """Return the recipe for covered copies: the most thorough, whatever the settings are."""
    return Recipe(DETECTORS[FaceDetector.THOROUGH], EMBEDDER if who else None)


def recipe_for(settings: Settings, path: str) -> Recipe:
    return recipe_of(settings, folder_of(path, settings.folders))


def task_for(settings: Settings, path: str) -> Analyse:
    """Return the task for a photo of the library."""
    detection = settings.detection
    return Analyse(path, recipe_for(settings, path), min_score=detection.min_score, min_face=detection.min_face, thumbnail=SIDE)


def embedding_task(settings: Settings, path: str) -> Analyse:
    """Return a task for faces and their embeddings, which are not stored."""
    detection = settings.detection
    return Analyse(path, everything(settings), min_score=detection.min_score, min_face=detection.min_face, keep_chips=False)


def areas(settings: Settings) -> tuple[tuple[FolderArea, Recipe], ...]:
    """Divide all possible locations into areas, each with its recipe. One area if no folder differs."""
    usual = recipe_of(settings)
    roots = {folder.root: recipe_of(settings, folder) for folder in settings.folders}
    if all(recipe == usual for recipe in roots.values()):
        return ((EVERYWHERE, usual),)
    inside = {root: tuple(other for other in roots if other.startswith(root.rstrip(os.sep) + os.sep)) for root in roots}
    return ((FolderArea(None, tuple(roots)), usual), *((FolderArea(root, inside[root]), recipe) for root, recipe in roots.items()))


def no_longer_watched(before: Settings, after: Settings) -> frozenset[str]:
    """Return the roots of folders that are no longer watched."""
    return frozenset(folder.root for folder in before.folders) - {folder.root for folder in after.folders}


def recognition_ends(before: Settings, after: Settings) -> bool:
    """Return whether recognition ended, globally or in a folder that is still watched."""

    def wanted(settings: Settings) -> dict[str | None, bool]:
        return {None: settings.recognition.enabled} | {
            folder.root: recipe_of(settings, folder).embedder is not None for folder in settings.folders
        }

    then, now = wanted(before), wanted(after)
    return any(then.get(root) and not wants for root, wants in now.items())


def _detector(settings: Settings) -> str:
    return DETECTORS[settings.detection.detector]
