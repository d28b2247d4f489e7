"""Writes covered copies to temporary files, and moves them into place atomically."""

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.domain.errors import AlreadyKept, BucketNoFile, CopyNotAFile, CopyUnwritable, ImageError, SameFile, SourceError
from agent.domain.path_text import is_remote, printable
from agent.features.redaction import copy_names
from agent.features.redaction.copy_names import KEPT_ENDING, MadeAt, Names, file_id
from agent.features.redaction.copy_records import PlannedCopy, RedactionItem
from agent.features.redaction.options import Keeping, RedactionOptions
from agent.infrastructure.core.abandonable_calls import raise_if_cancelled
from agent.infrastructure.core.files import (
    copy_errors,
    create_file,
    move_new,
    numbered,
    open_regular,
    replace_blocked_by,
    replace_file,
    sync_file,
    sync_folder,
)
from agent.infrastructure.core.photo_files import open_photo

REPORT_ENDING: Final = ".redaction.json"


@dataclass(frozen=True, slots=True)
class PendingCopy:
    """A copy ready to be placed."""

    source: str
    aside: str
    target: str
    replace: bool  # replace an existing file; otherwise use a free name beside it
    kept: str | None = None  # a temporary recovery file, placed together with it
    kept_replaces: bool = False  # an existing recovery file is replaced too


class CopyFileStore:
    """Plans, writes and places copies. Every call blocks, and raises CopyUnwritable and CopyDiskFull."""

    def __init__(self, open_item: Callable[[str], int] = open_photo) -> None:
        """`open_item` opens originals that are no files of this computer."""
        self._open_item = open_item

    def plan(
        self, paths: Sequence[str], out: str | None, wish: RedactionOptions, made: MadeAt, begun: Sequence[RedactionItem] = ()
    ) -> list[PlannedCopy]:
        """Return the target of each image's and video's copy below files and folders: `out`, a file or a folder, or in place (None).

        Relative paths are kept; names are unique; an existing file is skipped if `made` says that it is the same copy with these options,
        otherwise it keeps its name unless the options say that it is replaced. What earlier requests left planned
        (`begun`) is resumed under its assigned name. Raises SameFile if a copy would
        replace an original although `out` is given, CopyUnsupported for an unwritable format, CopyNotAFile; BucketNoFile for a photo in a
        bucket, in place or with its original kept.
        """
        if any(map(is_remote, paths)) and (out is None or wish.keeping is Keeping.ORIGINAL):
            raise BucketNoFile  # nothing is written to a bucket
        wanted = list(copy_names.wanted_files(paths, out))
        if out is None:
            names = Names(wish, (), made, self.digest, begun)
            return [copy for source, _ in wanted if (copy := names.in_place(source)) is not None]
        names = Names(wish, (source for source, _ in wanted), made, self.digest, begun)
        if copy_names.as_one_file(paths, out):
            if wish.replace:
                _check_ordinary(out)
            return [names.named(source, *copy_names.exactly(out, source)) for source, _ in wanted]
        above = os.path.abspath(out)  # noqa: PTH100 - pathlib keeps ".."
        if any(_same(above, path) for path in paths):
            raise SameFile
        planned = [names.named(source, *copy_names.below(above, source, base)) for source, base in wanted]
        if any(each.there is None for each in planned):
            with copy_errors(above):
                _check_writable(_first_there(Path(above)))
        return planned

    def plan_below(self, root: str, sources: Sequence[str], out: str, wish: RedactionOptions, made: MadeAt) -> list[PlannedCopy]:
        """Return the same for these files below a folder, ignoring existing names: `place` finds others, or the same copy.

        A copy that would replace its original is left out.
        """
        names = Names(wish, (), made, self.digest)
        planned = []
        for source in sources:
            target, format = copy_names.below(out, source, root)
            if not _same(target, source):
                planned.append(names.there(source, target, format) or PlannedCopy(source, target, format))
        return planned

    def prepare(self, target: str, token: str) -> str:
        """Return the temporary name for a copy before it is moved to `target`: unused, in an existing folder.

        It is the same for the same token, so that remains of a killed program are eventually removed.
        """
        folder = Path(target).parent
        with copy_errors(str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
            _check_writable(folder)
            mark = hashlib.sha256(f"{token} {target}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
            aside = folder / f".ai-popup-{mark}.tmp"
            aside.unlink(missing_ok=True)
            return str(aside)

    def place(self, ready: PendingCopy) -> str:
        """Place a copy, on the disk when this returns; return its path.

        An identical copy by another agent that watches the same folder is accepted. Raises SameFile, AlreadyKept, CopyNotAFile.
        """
        if ready.target != ready.source and file_id(ready.target) is not None and file_id(ready.target) == file_id(ready.source):
            raise SameFile
        with copy_errors(str(Path(ready.target).parent)):
            sync_file(Path(ready.aside), _rights(ready.source))
            placed = self._replacing(ready) if ready.replace else self._beside(ready)
            sync_folder(Path(placed).parent)
            return placed

    def discard(self, aside: str) -> None:
        """Remove a copy that was not placed, if it exists. Never raises."""
        with contextlib.suppress(OSError):
            Path(aside).unlink(missing_ok=True)

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file, hexadecimal; None if it can't be read."""
        try:
            raise_if_cancelled()
            with open_regular(Path(path)) if not is_remote(path) else os.fdopen(self._open_item(path), "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError, SourceError, ImageError):
            return None

    def report(self, target: str, facts: Mapping[str, object]) -> None:
        """Write a report beside a copy."""
        aside = Path(self.prepare(target, "report"))
        with copy_errors():
            try:
                with create_file(aside) as file:
                    file.write((json.dumps(facts, ensure_ascii=False, indent=1) + "\n").encode())
                _replace(str(aside), target + REPORT_ENDING)
            except BaseException:
                self.discard(str(aside))
                raise

    def _replacing(self, ready: PendingCopy) -> str:
        beside = ready.target + KEPT_ENDING
        if ready.kept is not None:
            if ready.kept_replaces:
                _replace(ready.kept, beside)
            else:
                try:
                    move_new(ready.kept, beside)
                except FileExistsError:
                    raise AlreadyKept from None
            sync_folder(Path(beside).parent)  # before the original is replaced
        try:
            _replace(ready.aside, ready.target)
        except BaseException:
            if ready.kept is not None and not ready.kept_replaces:
                Path(beside).replace(ready.kept)  # the original is where it was: nothing is to be restored
            raise
        return ready.target

    def _beside(self, ready: PendingCopy) -> str:
        """Never replace a file; another program may take the name between two checks."""
        sha256 = None if ready.kept is not None else self.digest(ready.aside)
        for target in numbered(ready.target):
            if os.path.lexists(target):
                if self._is_made(target, sha256, ready.aside):
                    return target
                continue
            try:
                if ready.kept is not None and ready.kept_replaces and target == ready.target:
                    Path(ready.kept).replace(target + KEPT_ENDING)
                elif ready.kept is not None:
                    move_new(ready.kept, target + KEPT_ENDING)
            except FileExistsError:
                continue
            try:
                move_new(ready.aside, target)
            except FileExistsError:
                if ready.kept is not None:
                    Path(target + KEPT_ENDING).replace(ready.kept)
                elif self._is_made(target, sha256, ready.aside):  # made just now
                    return target
                continue
            return target
        raise AssertionError("there is always another number")

    def _is_made(self, target: str, sha256: str | None, aside: str) -> bool:
        """Return whether another agent watching the same folder made this same copy: then ours is dropped."""
        made = sha256 is not None and self.digest(target) == sha256
        if made:
            self.discard(aside)
        return made


def _replace(aside: str, target: str) -> None:
    """Move a file over another. Raises CopyNotAFile, CopyUnwritable, OSError."""
    _check_ordinary(target)
    try:
        replace_file(Path(aside), Path(target))
    except PermissionError as error:
        if why := replace_blocked_by(Path(target)):
            raise CopyUnwritable(**{why: printable(target)}) from error
        raise


def _check_ordinary(target: str) -> None:
    if copy_names.is_special(target):
        raise CopyNotAFile


def _first_there(folder: Path) -> Path:
    """Return the folder, or its nearest existing parent."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def _check_writable(folder: Path) -> None:
    """Raise OSError if permissions or the disk forbid writing there; called before the detection starts."""
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if not os.access(folder, os.W_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, os.strerror(errno.EACCES))


def _same(one: str, other: str) -> bool:
    found = file_id(one)
    return found is not None and found == file_id(other)


def _rights(original: str) -> int | None:
    """Return the mode of a copy: with the read permissions of the original, because a copy is made for sharing."""
    try:
        return stat.S_IMODE(Path(original).stat().st_mode) & 0o666 | 0o600
    except OSError:
        return None
