"""Resource limits of a process on POSIX systems: no core files, few open files, no large files and limited memory."""

import resource
from contextlib import suppress

_MIB = 1024 * 1024
_OPEN_FILES = 512
_LARGEST_FILE = 256 * 1024 * _MIB  # a copy of a long clip; kernels and models in the scratch folder are much smaller


def limit(address_space: int | None) -> None:
    """Lower the limits of this process for good; `address_space` in bytes. Limits that the system lacks or holds lower stay."""
    most = {
        "RLIMIT_CORE": 0,
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
