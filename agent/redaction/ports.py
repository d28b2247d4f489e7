"""Copies as files: where each goes, how it gets there whole or not at all, and what is kept beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.engine.renderer import Region, Renderer
from agent.redaction.copy_records import Made, PlannedCopy, RedactionItem
from agent.redaction.options import Wish

KEPT_ENDING = ".aipopup"  # of what is kept beside a copy


@dataclass(frozen=True, slots=True)
class Placing:
    """A copy that is ready to be moved where it is wanted."""

    source: str
    aside: str
    target: str
    replace: bool  # what is there gives way; else a free name beside it is taken
    kept: str | None = None  # what is kept, written aside: it moves along
    kept_replaces: bool = False  # what is kept there already gives way too


class CopyFiles(Protocol):
    """Every call blocks, and raises CopyUnwritable and CopyDiskFull. Implementation: `agent.redaction.copy_files.Copies`."""

    def plan(
        self,
        paths: Sequence[str],
        out: str | None,
        wish: Wish,
        made: Callable[[str], Made | None],
        begun: Sequence[RedactionItem] = (),
    ) -> list[PlannedCopy]:
        """Where the copy of each image and clip below files and folders goes: to `out`, a file or a folder, or in its own place (None).

        The order inside folders is kept; two never get the same name; what is there is passed over if `made` says that it is the wished
        copy of the same content, else it keeps its name unless the wish says that it gives way. What earlier requests left planned
        (`begun`) is resumed under the name it was given. Raises SameFile if a copy would take
        the place of an original though `out` is named, CopyUnsupported for a format in which nothing can be written.
        """
        ...

    def plan_below(self, root: str, sources: Sequence[str], out: str, wish: Wish, made: Callable[[str], Made | None]) -> list[PlannedCopy]:
        """The same for these files below a folder, but for names that somebody has: `place` finds others, or that the same copy is there.

        Whatever would take its original's place is left out.
        """
        ...

    def prepare(self, target: str, token: str) -> str:
        """The name under which a copy is written before it is moved to `target`: nothing is there, and the folder is.

        The same for the same token, so that nothing that a killed program left stays for ever.
        """
        ...

    def place(self, ready: Placing) -> str:
        """Move a copy where it is wanted, on the disk when this returns; gives where that is.

        A copy that is there already, made by another agent that looks after the same folder, is enough. Raises SameFile, AlreadyKept.
        """
        ...

    def discard(self, aside: str) -> None:
        """Remove what was not placed, if it is there. Never raises."""
        ...

    def digest(self, path: str) -> str | None:
        """SHA-256 of a file, hexadecimal; None if it can't be read."""
        ...

    def report(self, target: str, facts: Mapping[str, object]) -> None:
        """Write beside a copy what was done."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept of an original."""

    copy_sha256: str  # of the copy beside which it is kept
    sha256: str  # of the original
    name: str  # the original's, without its folder
    regions: tuple[Region, ...] = ()
    whole: bool = False  # the whole file was kept


class Keeper(Protocol):
    """Keeps what a copy hides, encrypted. Every call blocks; without a passphrase the key is the library's.

    Implementation: `agent.redaction.recovery_file.KeptFiles`.
    """

    def keep(self, aside: str, kept: Kept, original: str | None, passphrase: str | None) -> None:
        """Write it to a file that is not there yet: the regions, or the whole of the file `original`. Raises RedactionError, ImageError."""
        ...

    def opened(self, path: str, passphrase: str | None) -> Kept:
        """What a file keeps. Raises NotRestorable, RestoreKeyWrong, KeptDamaged, ImageUnreadable."""
        ...

    def original(self, path: str, passphrase: str | None, output: str) -> None:
        """Write the whole file that was kept. On any error the output is not there. Raises as above, and CopyUnwritable, CopyDiskFull."""
        ...


@dataclass(frozen=True, slots=True)
class RedactionTools:
    """What writes copies."""

    renderer: Renderer
    copies: CopyFiles
    keeper: Keeper
