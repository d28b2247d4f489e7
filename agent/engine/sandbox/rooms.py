"""What a walled process may still reach."""

import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_MIB = 1024 * 1024
# Libraries, their code for each processor core, and what a decoded image of the largest size takes several times over.
_SPACE = 16 * 1024 * _MIB
_BYTES_PER_PIXEL = 16


@dataclass(frozen=True, slots=True)
class Rooms:
    """What is granted. Everything else is refused: a new kind of work gets a new room, never a gap."""

    read: tuple[Path, ...]  # files, or folders with all below them
    write: tuple[Path, ...]  # folders to read and to write in
    devices: bool = False  # accelerators: their drivers talk to device files
    address_space: int | None = None  # bytes; None where drivers map whatever they like
    screen: bool = False  # takes pictures of the screen, through a connection that it has already

    @classmethod
    def of_engine(cls, *, models: Iterable[Path], scratch: Iterable[Path], device: str, megapixels: int) -> "Rooms":
        """The program, the models, a scratch folder. Photos are in no room: they come as files that the agent has opened."""
        accelerated = not device.startswith("CPU")
        return cls(
            read=(*program(), *models),
            write=tuple(scratch),
            devices=accelerated,
            address_space=None if accelerated else _SPACE + megapixels * 1_000_000 * _BYTES_PER_PIXEL,
        )

    @classmethod
    def of_matcher(cls) -> "Rooms":
        """The program alone: face prints come with the requests."""
        return cls(read=program(), write=(), address_space=_SPACE)


def program() -> tuple[Path, ...]:
    """Where this program and its Python live: only code and its data, no folder that also holds anything of the user's."""
    paths = sysconfig.get_paths()
    code = [Path(__file__).parents[2], Path(sys.base_prefix, "lib"), Path(paths["stdlib"]), Path(paths["platstdlib"])]
    code += [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    if getattr(sys, "frozen", False):
        code += [Path(sys.executable).parent, Path(getattr(sys, "_MEIPASS", sys.prefix))]
    return tuple(dict.fromkeys(code))
