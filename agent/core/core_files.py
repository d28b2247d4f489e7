"""No core files: one would put the library's key, names and face prints on the disk, unencrypted."""

import sys
from contextlib import suppress


def leave_no_core_file() -> None:
    """Have a crash of this process leave none, nor one of those that it starts. Debuggers can raise the limit again."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
