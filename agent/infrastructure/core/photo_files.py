"""Opens photos of this computer for others to read: regular files alone, told apart from what can't be opened."""

import os
import stat

from agent.domain.errors import AgentError, ImageMissing, ImageUnreadable, ImageUnsupported, SourceNoAccess, SourceUnreachable
from agent.infrastructure.core.extended_paths import verbatim
from agent.infrastructure.core.files import is_held, open_shared

_COMMON = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _COMMON


def open_photo(path: str) -> int:
    """Return a descriptor of a regular file. Blocks. Raises ImageMissing, ImageUnreadable, or ImageUnsupported for a non-file.

    A folder gets here only if a walk could not read it: SourceNoAccess or SourceUnreachable gives the reason.
    """
    try:
        mode = os.stat(verbatim(path)).st_mode  # noqa: PTH116 - a path may be one that no Path can hold
        if stat.S_ISDIR(mode):
            raise _why_unread(path)
        if not stat.S_ISREG(mode):
            raise ImageUnsupported  # opening a pipe would wait for ever, and opening a device may have effects
        descriptor = open_shared(verbatim(path), READ_FLAGS)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged in between
            os.close(descriptor)
            raise ImageUnsupported
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageMissing from error
    except (OSError, ValueError) as error:
        raise (ImageUnreadable(held=1) if is_held(error) else ImageUnreadable()) from error
    return descriptor


def _why_unread(folder: str) -> AgentError:
    try:
        with os.scandir(verbatim(folder)) as entries:
            for entry in entries:
                entry.stat(follow_symlinks=False)  # it may be listed but not entered
    except PermissionError:
        return SourceNoAccess()
    except OSError:
        return SourceUnreachable()
    return ImageUnsupported()
