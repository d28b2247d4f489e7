"""Chooses the names of covered copies: unused names, an original's place only on request, and for members one folder of the server."""
# ruff: noqa: PTH100, PTH112, PTH118, PTH120 - paths are text throughout: a Path drops "..", and can't hold every Windows name

import os
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

from agent.domain.errors import CopyUnsupported, Forbidden, SameFile
from agent.domain.image import COPY_FORMATS
from agent.domain.path_text import is_remote
from agent.domain.video import CLIP_FORMATS, has_pictures, is_clip, may_show_faces
from agent.features.redaction.copy_records import Made, PlannedCopy, RedactionItem
from agent.features.redaction.options import Keeping, RedactionOptions
from agent.infrastructure.core.abandonable_calls import raise_if_cancelled
from agent.infrastructure.core.files import numbered
from agent.infrastructure.core.settings import Folder
from agent.infrastructure.core.user_paths import real_path, typed_path
from agent.infrastructure.sources.folder.folder_scan import is_below, walk_named

KEPT_ENDING: Final = ".aipopup"  # extension of recovery files
# Readable but unwritable formats, such as camera raw files and HEIC, become JPEG.
_INSTEAD: Final = ("jpg", "jpeg")
# The same for videos; some become yet another format, which is known once they are opened.
_CLIP_INSTEAD: Final = "mp4"

FileId = tuple[int, int]
MadeAt = Callable[[str], Made | None]
Digest = Callable[[str], str | None]
COPIES_FOLDER = "copies"


def writable(path: str) -> bool:
    """Return whether a copy can have the file's own name. A name without extension is accepted."""
    ending = _ending(path)
    return ending in COPY_FORMATS or ending in CLIP_FORMATS or not has_pictures(path)


def wanted_files(paths: Sequence[str], out: str | None) -> Iterator[tuple[str, str]]:
    """Yield each image and video below files and folders, of any kind, with the folder that its relative path starts from.

    Files in `out` itself are left out.
    """
    inside = None if out is None else os.path.realpath(out)
    met: set[str] = set()
    for path in filter(is_remote, paths):
        if path not in met:
            met.add(path)
            yield path, path.rpartition("/")[0]
    for path in map(typed_path, (each for each in paths if not is_remote(each))):
        is_folder = os.path.isdir(path)
        for found, _ in walk_named(path, Folder(path="."), may_show_faces):
            if found in met or (is_folder and inside is not None and is_below(real_path(found), inside)):
                continue
            raise_if_cancelled()
            met.add(found)
            yield found, path if is_folder else os.path.dirname(path)


def as_one_file(paths: Sequence[str], out: str) -> bool:
    """Return whether `out` names the copy itself, not its folder."""
    one = len(paths) == 1 and not os.path.isdir(paths[0])
    return one and not os.path.isdir(out) and not out.endswith(("/", os.sep)) and bool(_ending(out))


class Names:
    """Names the copies of one batch."""

    def __init__(
        self, wish: RedactionOptions, originals: Iterable[str], made: MadeAt, digest: Digest, begun: Sequence[RedactionItem] = ()
    ) -> None:
        """`begun` are items that earlier requests left planned: their copies keep the assigned names."""
        self._wish = wish
        self._begun: dict[str, list[RedactionItem]] = {}
        for item in begun:
            self._begun.setdefault(item.source, []).append(item)
        self._promised = {_key(item.target) for item in begun}
        self._originals = frozenset(filter(None, map(file_id, originals)))
        self._made = made
        self._digest = digest
        self._given: set[str] = set()

    def named(self, source: str, target: str, format: str | None) -> PlannedCopy:
        """Name a copy. Raises SameFile."""
        raise_if_cancelled()
        if (resumed := self._resumed(source, target, format)) is not None:
            return self._give(resumed)
        for candidate in numbered(target):
            if _key(candidate) in self._given or _key(candidate) in self._promised:
                continue
            found = file_id(candidate)
            if found is None and not os.path.lexists(candidate):
                if not self._kept_is_there(candidate):
                    return self._give(PlannedCopy(source, candidate, format))
                continue
            if found in self._originals:
                raise SameFile
            if (there := self.there(source, candidate, format)) is not None:
                return self._give(there)
            if self._wish.replace and not is_special(candidate):
                return self._give(PlannedCopy(source, candidate, format))
        raise AssertionError("there is always another number")

    def there(self, source: str, target: str, format: str | None) -> PlannedCopy | None:
        """Return the copy at `target`, if it was made from this content with these options."""
        made = self._made(target)
        if made is None or made.wish.made != self._wish.made or made.copy_sha256 != self._digest(target):
            return None
        return PlannedCopy(source, target, format, made) if made.sha256 == self._digest(source) else None

    def _resumed(self, source: str, target: str, format: str | None) -> PlannedCopy | None:
        """Return what earlier requests left planned for this source and name."""
        left = [each for each in self._begun.get(source, ()) if each.format == format and _is_name_for(each.target, target)]
        left = [each for each in left if _key(each.target) not in self._given]
        return PlannedCopy(source, left[0].target, format, begun=tuple(each.id for each in left)) if left else None

    def in_place(self, source: str) -> PlannedCopy | None:
        """Plan a copy in place; None if the same file was already planned under another name."""
        real = real_path(source)  # for a link, its target is to be covered
        if _key(real) in self._given:
            return None
        resumed = self._resumed(real, real, None)
        return self._give(resumed or PlannedCopy(real, real, there=self._is_covered(real)))

    def _is_covered(self, path: str) -> Made | None:
        """Return the copy that replaced the original, if the file is still that: it stays as it is."""
        made = self._made(path)
        is_it = made is not None and made.wish.made == self._wish.made and made.copy_sha256 == self._digest(path)
        return made if is_it else None

    def _give(self, copy: PlannedCopy) -> PlannedCopy:
        self._given.add(_key(copy.target))
        return copy

    def _kept_is_there(self, target: str) -> bool:
        return self._wish.keeping is not Keeping.NOTHING and os.path.lexists(target + KEPT_ENDING)


def below(out: str, source: str, base: str) -> tuple[str, str | None]:
    """Return the target of a copy that keeps its relative path below `base`, and its format; None: the original's own."""
    # Windows' own way to it would lose a name of a device.
    inside = source[len(base.rstrip(os.sep)) + 1 :] if is_below(source, base) else os.path.relpath(source, base)
    return _fitting(os.path.join(out, inside))


def exactly(out: str, source: str) -> tuple[str, str | None]:
    """Return the same for a name that the user chose. Raises CopyUnsupported.

    A video's final format is known once it is opened, so the required format is always given.
    """
    ending = _ending(out)
    if is_clip(source):
        if ending not in CLIP_FORMATS:
            raise CopyUnsupported(format=ending, clip=_ending(source))
        return os.path.abspath(out), CLIP_FORMATS[ending]
    if ending not in COPY_FORMATS:
        raise CopyUnsupported(format=ending, choices=", ".join(dict.fromkeys(COPY_FORMATS.values())))
    format = COPY_FORMATS[ending]
    return os.path.abspath(out), None if COPY_FORMATS.get(_ending(source)) == format else format


def _is_name_for(given: str, target: str) -> bool:
    """Return whether `given` is `target`, or `target` with a number."""
    return given in takewhile(lambda name: len(name) <= len(given), numbered(target))


def file_id(path: str) -> FileId | None:
    """Return the same value for all names of a file; None if it does not exist, or the system has no ids."""
    try:
        facts = Path(path).stat()
    except (OSError, ValueError):
        return None
    return (facts.st_dev, facts.st_ino) if facts.st_ino else None


def is_special(path: str) -> bool:
    """Return whether the name leads to a device, a pipe or a folder: a copy never replaces those."""
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except (OSError, ValueError):
        return False  # nothing is there


def _fitting(target: str) -> tuple[str, str | None]:
    if writable(target):
        return target, None
    if is_clip(target):
        return f"{target.rpartition('.')[0]}.{_CLIP_INSTEAD}", None
    ending, format = _INSTEAD
    return f"{target.rpartition('.')[0]}.{ending}", format


def _ending(path: str) -> str:
    _, dot, ending = path.rpartition(".")
    return ending.lower() if dot and os.sep not in ending and "/" not in ending else ""


def _key(path: str) -> str:
    """Return the same value for names that some file systems consider equal."""
    return unicodedata.normalize("NFC", path).casefold()


def place_below(root: Path, out: str) -> str:
    """The full path of the folder that a member calls `out`: a name below `root`, or a full path there. Raises Forbidden for others."""
    above = os.path.abspath(root)
    full = os.path.abspath(os.path.join(above, out))
    try:
        inside = os.path.commonpath((above, full)) == above
    except ValueError:  # another drive
        inside = False
    if not inside:
        raise Forbidden(scope="desktop")
    return full
