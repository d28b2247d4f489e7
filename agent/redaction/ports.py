"""Copies as files: their paths, their atomic placement, and their recovery files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.engine.renderer import Region, Renderer
from agent.redaction.copy_records import Made, PlannedCopy, RedactionItem
from agent.redaction.options import Wish

KEPT_ENDING = ".aipopup"  # extension of recovery files


@dataclass(frozen=True, slots=True)
class Placing:
    """A copy ready to be placed."""

    source: str
    aside: str
    target: str
    replace: bool  # replace an existing file; otherwise use a free name beside it
    kept: str | None = None  # a temporary recovery file, placed together with it
    kept_replaces: bool = False  # an existing recovery file is replaced too


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
        """Return the target of each image's and video's copy below files and folders: `out`, a file or a folder, or in place (None).

        Relative paths are kept; names are unique; an existing file is skipped if `made` says that it is the same copy with these options,
        otherwise it keeps its name unless the options say that it is replaced. What earlier requests left planned
        (`begun`) is resumed under its assigned name. Raises SameFile if a copy would
        replace an original although `out` is given, CopyUnsupported for an unwritable format.
        """
        ...

    def plan_below(self, root: str, sources: Sequence[str], out: str, wish: Wish, made: Callable[[str], Made | None]) -> list[PlannedCopy]:
        """Return the same for these files below a folder, ignoring existing names: `place` finds others, or the same copy.

        A copy that would replace its original is left out.
        """
        ...

    def prepare(self, target: str, token: str) -> str:
        """Return the temporary name for a copy before it is moved to `target`: unused, in an existing folder.

        It is the same for the same token, so that remains of a killed program are eventually removed.
        """
        ...

    def place(self, ready: Placing) -> str:
        """Place a copy, on the disk when this returns; return its path.

        An identical copy by another agent that watches the same folder is accepted. Raises SameFile, AlreadyKept.
        """
        ...

    def discard(self, aside: str) -> None:
        """Remove a copy that was not placed, if it exists. Never raises."""
        ...

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file, hexadecimal; None if it can't be read."""
        ...

    def report(self, target: str, facts: Mapping[str, object]) -> None:
        """Write a report beside a copy."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """The content of a recovery file."""

    copy_sha256: str  # of its copy
    sha256: str  # of the original
    name: str  # the original's, without its folder
    regions: tuple[Region, ...] = ()
    whole: bool = False  # the whole file is kept


class Keeper(Protocol):
    """Keeps covered content, encrypted. Every call blocks; without a passphrase the library's key is used.

    Implementation: `agent.redaction.recovery_file.KeptFiles`.
    """

    def keep(self, aside: str, kept: Kept, original: str | None, passphrase: str | None) -> None:
        """Write a new recovery file: the regions, or the whole file `original`. Raises RedactionError, ImageError."""
        ...

    def opened(self, path: str, passphrase: str | None) -> Kept:
        """Read a recovery file. Raises NotRestorable, RestoreKeyWrong, KeptDamaged, ImageUnreadable."""
        ...

    def original(self, path: str, passphrase: str | None, output: str) -> None:
        """Write the kept original. On any error there is no output. Raises as above, and CopyUnwritable, CopyDiskFull."""
        ...


@dataclass(frozen=True, slots=True)
class RedactionTools:
    """The tools that write copies."""

    renderer: Renderer
    copies: CopyFiles
    keeper: Keeper
