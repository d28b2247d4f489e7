"""The system's limit of files that a process may have open at once: raised as far as it lets us, and named where that is too few."""

import sys
from contextlib import suppress

from agent.domain.errors import FewFiles

WANTED = 4096
LEAST = 128  # an agent at work has some 60 open: library, engines' pipes, connections, watched folders


def raise_file_limit() -> None:
    """Raises FewFiles."""
    if sys.platform == "win32":
        return  # 8192, and none to raise
    import resource

    limit, highest = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if highest == resource.RLIM_INFINITY else min(WANTED, highest)
    if limit != resource.RLIM_INFINITY and limit < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, highest))
            limit = wanted
    if limit != resource.RLIM_INFINITY and limit < LEAST:
        raise FewFiles(limit=limit, least=LEAST)
