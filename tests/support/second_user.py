"""A second user of this computer: what is called here is done by a process of another user's. Only root can have that."""

import json
import os
import warnings
from collections.abc import Callable
from typing import Any

NOBODY = 65534


def as_nobody(work: Callable[[], Any]) -> Any:
    """What `work` returned, which JSON can say; its exceptions are named. Nothing of the test's own can be changed from there."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: the child uses system calls only
        child = os.fork()
    if child == 0:
        try:
            os.close(read)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            said: Any = {"returned": work()}
        except BaseException as error:
            said = {"raised": type(error).__name__}
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = json.loads(pipe.read())
    os.waitpid(child, 0)
    return said.get("returned", said.get("raised"))
