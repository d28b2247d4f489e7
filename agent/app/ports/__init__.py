"""What the use cases need from outside, as types: a module above this floor implements each."""

from agent.app.ports.analyser import Analyse, Analyser
from agent.app.ports.library import Library, ThumbnailStore
from agent.app.ports.records import (
    EVERYWHERE,
    Area,
    Counts,
    Index,
    Noted,
    Person,
    PlacePage,
    PlaceState,
    Portrait,
    Shown,
    StoredFace,
    StoredImage,
)
from agent.app.ports.source import Change, Emit, FileAppeared, FileMoved, FilesGone, Source, SourceFailed, SourceRecovered, TreeMoved

__all__ = [
    "EVERYWHERE",
    "Analyse",
    "Analyser",
    "Area",
    "Change",
    "Counts",
    "Emit",
    "FileAppeared",
    "FileMoved",
    "FilesGone",
    "Index",
    "Library",
    "Noted",
    "Person",
    "PlacePage",
    "PlaceState",
    "Portrait",
    "Shown",
    "Source",
    "SourceFailed",
    "SourceRecovered",
    "StoredFace",
    "StoredImage",
    "ThumbnailStore",
    "TreeMoved",
]
