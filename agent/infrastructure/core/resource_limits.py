"""The system's limit of open files per process: raised as far as possible, and reported if too low."""

import sys
from contextlib import suppress

from agent.domain.errors import FewFiles

WANTED = 4096
LEAST = 128  # a working agent has some 60 open: library, engines' pipes, connections, watched folders


def raise_open_file_limit(least: int = LEAST) -> None:
    """Raise the limit, beyond the system's highest only if that is below `least`. Raises FewFiles if `least` is out of reach."""
    if sys.platform == "win32":
        return  # 8192, and no way to raise it
    import resource

    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if highest == resource.RLIM_INFINITY else min(WANTED, highest)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, highest))
            limit = wanted
    if limit != resource.RLIM_INFINITY and limit < least:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (least, least))  # root may, unless it is a container's
        except (OSError, ValueError) as error:
            raise FewFiles(limit=limit, least=least) from error
