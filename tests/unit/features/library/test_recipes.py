"""What is looked for in which photos."""

from agent.domain.image import NO_FACES, Recipe
from agent.features.library.recipes import DETECTORS, EMBEDDER, areas, everything, recipe_for
from agent.infrastructure.core.settings import FaceDetector, Settings, root_of
from agent.infrastructure.store.path_index import EVERYWHERE, FolderArea

FACES = Recipe(DETECTORS[FaceDetector.THOROUGH])
EVERYTHING = Recipe(FACES.detector, EMBEDDER)


def settings(*folders: dict[str, object], recognition: bool = True) -> Settings:
    return Settings.model_validate({"recognition": {"enabled": recognition}, "folders": folders})


def test_where_no_folder_differs_there_is_one_area() -> None:
    assert areas(settings({"path": "/a"}, {"path": "/a/b"})) == ((EVERYWHERE, EVERYTHING),)
    assert areas(settings({"path": "/a", "recognition": False}, recognition=False)) == ((EVERYWHERE, FACES),)


def test_each_folder_goes_by_its_own_switches_and_the_innermost_counts() -> None:
    told = settings({"path": "/a", "recognition": False}, {"path": "/a/b"}, {"path": "/a/c", "faces": False})
    a, b, c = map(root_of, ("/a", "/a/b", "/a/c"))
    assert areas(told) == (
        (FolderArea(None, (a, b, c)), EVERYTHING),
        (FolderArea(a, (b, c)), FACES),
        (FolderArea(b), EVERYTHING),
        (FolderArea(c), Recipe(NO_FACES)),
    )
    for path, recipe in {"/x": EVERYTHING, "/a/x": FACES, "/a/b/x": EVERYTHING, "/a/c/x": Recipe(NO_FACES)}.items():
        assert recipe_for(told, root_of(path)) == recipe


def test_a_folder_alone_switches_no_recognition_on() -> None:
    assert recipe_for(settings({"path": "/a", "recognition": True}, recognition=False), root_of("/a/x")) == FACES


def test_the_detector_is_the_one_that_the_settings_name() -> None:
    fast = Settings.model_validate({"detection": {"detector": "fast"}, "folders": [{"path": "/a", "faces": False}]})
    assert recipe_for(fast, root_of("/x")) == Recipe("yunet-1")
    assert recipe_for(fast, root_of("/a/x")) == Recipe(NO_FACES)
    assert everything(fast).models == {"yunet-1", EMBEDDER}
    assert recipe_for(fast, root_of("/a/x")).models == frozenset()
