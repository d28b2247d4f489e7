"""What a sandboxed process may still reach."""

import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.inference.engine.devices import on_processor
from agent.infrastructure.core.core_dumps import CORE_LIMIT
from agent.infrastructure.core.resources import resource

# The value ranges for quantising models.
RANGES = resource("models") / "int8"
_MIB = 1024 * 1024
# Libraries, their code for each processor core, and several copies of the largest decoded image.
_SPACE = 16 * 1024 * _MIB
_BYTES_PER_PIXEL = 16


@dataclass(frozen=True, slots=True)
class SandboxPaths:
    """The granted access. Everything else is refused: a new kind of work gets new rooms, never an exception."""

    read: tuple[Path, ...]  # files, or folders with everything below them
    write: tuple[Path, ...]  # folders to read and write in
    devices: bool = False  # accelerators: their drivers talk to device files
    address_space: int | None = None  # bytes; None where drivers map unpredictable amounts
    screen: bool = False  # takes screenshots through a connection that it already has

    @classmethod
    def of_engine(cls, *, models: Iterable[Path], scratch: Iterable[Path], device: str, megapixels: int) -> "SandboxPaths":
        """The program, the models and a scratch folder. Photos are in no room: the agent opens them and hands them over."""
        accelerated = not on_processor(device)
        return cls(
            read=(*program(), RANGES, *models),
            write=tuple(scratch),
            devices=accelerated,
            address_space=None if accelerated else _SPACE + megapixels * 1_000_000 * _BYTES_PER_PIXEL,
        )

    @classmethod
    def of_matcher(cls) -> "SandboxPaths":
        """The program alone: face embeddings come with the requests."""
        return cls(read=program(), write=(), address_space=_SPACE)


def program() -> tuple[Path, ...]:
    """The folders of this program and its Python: only code and its data, no folder that also holds the user's files."""
    paths = sysconfig.get_paths()
    code = [Path(__file__).parents[3], Path(sys.base_prefix, "lib"), Path(paths["stdlib"]), Path(paths["platstdlib"])]
    code += [Path(entry) for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    if getattr(sys, "frozen", False):
        code += [Path(sys.executable).parent, Path(getattr(sys, "_MEIPASS", sys.prefix))]
    return tuple(dict.fromkeys(code))


# -- Resource limits of a process on POSIX systems: no core files, few open files, no large files and limited memory ---------------
_OPEN_FILES = 512
_LARGEST_FILE = 256 * 1024 * _MIB  # a copy of a long clip; kernels and models in the scratch folder are much smaller


def limit(address_space: int | None) -> None:
    """Lower the limits of this process for good; `address_space` in bytes. Limits that the system lacks or holds lower stay."""
    import resource  # Windows has none

    most = {
        "RLIMIT_CORE": CORE_LIMIT,
        "RLIMIT_NOFILE": _OPEN_FILES,
        "RLIMIT_FSIZE": _LARGEST_FILE,
        "RLIMIT_MSGQUEUE": 0,
        **({} if address_space is None else {"RLIMIT_AS": address_space}),
    }
    for name, value in most.items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (bound, bound))
