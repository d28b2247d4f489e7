"""No core files: one would put the library's key, names and face prints on the disk, unencrypted."""

import sys
from contextlib import suppress
from typing import Final

# Bytes. Linux writes no file for either, but pipes a crash to the program that collects them (`core_pattern`), unless it is 1: core(5).
CORE_LIMIT: Final = 1 if sys.platform == "linux" else 0


def disable_core_dumps() -> None:
    """Have a crash of this process leave none, nor one of those that it starts. Debuggers can raise the limit again."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (CORE_LIMIT if hard else 0, hard))
