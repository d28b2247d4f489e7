"""What is looked for in which photos: the settings' own switches, and those of watched folders."""

import os

from agent.core.settings import FaceDetector, Folder, Settings, folder_of
from agent.domain.image import NO_FACES, Recipe
from agent.engine.analyser import Analyse
from agent.library.thumbnails import SIDE
from agent.store.path_ranges import EVERYWHERE, Area

DETECTORS = {FaceDetector.THOROUGH: "centerface-2", FaceDetector.FAST: "yunet-1"}
EMBEDDER = "mobilefacenet-2"


def recipe_of(settings: Settings, folder: Folder | None = None) -> Recipe:
    """What the photos of a watched folder are analysed with, or those of none."""
    if folder is not None and not folder.faces:
        return Recipe(NO_FACES)
    wanted = settings.recognition.enabled and (folder is None or folder.recognition)
    return Recipe(_detector(settings), EMBEDDER if wanted else None)


def recognises(settings: Settings) -> bool:
    """Whether recognition is on, where no folder says otherwise."""
    return recipe_of(settings).embedder is not None


def everything(settings: Settings) -> Recipe:
    """All there is to say of a photo, whatever the switches are."""
    return Recipe(_detector(settings), EMBEDDER)


def redaction_recipe(who: bool) -> Recipe:
    """What photos are looked through with before they are covered: the best there is, whatever the settings are."""
    return Recipe(DETECTORS[FaceDetector.THOROUGH], EMBEDDER if who else None)


def recipe_for(settings: Settings, path: str) -> Recipe:
    return recipe_of(settings, folder_of(path, settings.folders))


def task_for(settings: Settings, path: str) -> Analyse:
    """What is done with a photo of the library."""
    detection = settings.detection
    return Analyse(path, recipe_for(settings, path), min_score=detection.min_score, min_face=detection.min_face, thumbnail=SIDE)


def embedding_task(settings: Settings, path: str) -> Analyse:
    """Faces and their prints, stored nowhere."""
    detection = settings.detection
    return Analyse(path, everything(settings), min_score=detection.min_score, min_face=detection.min_face, keep_chips=False)


def areas(settings: Settings) -> tuple[tuple[Area, Recipe], ...]:
    """Every place there may be, in areas, each with its recipe. One area where no folder differs."""
    usual = recipe_of(settings)
    roots = {folder.root: recipe_of(settings, folder) for folder in settings.folders}
    if all(recipe == usual for recipe in roots.values()):
        return ((EVERYWHERE, usual),)
    inside = {root: tuple(other for other in roots if other.startswith(root.rstrip(os.sep) + os.sep)) for root in roots}
    return ((Area(None, tuple(roots)), usual), *((Area(root, inside[root]), recipe) for root, recipe in roots.items()))


def no_longer_watched(before: Settings, after: Settings) -> frozenset[str]:
    """Roots of folders that were watched and are no more."""
    return frozenset(folder.root for folder in before.folders) - {folder.root for folder in after.folders}


def recognition_ends(before: Settings, after: Settings) -> bool:
    """Whether people were recognised, at large or in a folder that is still watched, and are not any more."""

    def wanted(settings: Settings) -> dict[str | None, bool]:
        return {None: settings.recognition.enabled} | {
            folder.root: recipe_of(settings, folder).embedder is not None for folder in settings.folders
        }

    then, now = wanted(before), wanted(after)
    return any(then.get(root) and not wants for root, wants in now.items())


def _detector(settings: Settings) -> str:
    return DETECTORS[settings.detection.detector]
