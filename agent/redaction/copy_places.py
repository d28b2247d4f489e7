"""Where members of a team may have copies written: below one folder of the server."""

import os
from pathlib import Path

from agent.domain.errors import Forbidden

FOLDER = "copies"


def place_below(root: Path, out: str) -> str:
    """The full path of the folder that a member calls `out`: a name below `root`, or a full path there. Raises Forbidden for others."""
    above = os.path.abspath(root)  # noqa: PTH100 - pathlib keeps ".."
    full = os.path.abspath(os.path.join(above, out))  # noqa: PTH100, PTH118 - pathlib keeps ".."
    try:
        inside = os.path.commonpath((above, full)) == above
    except ValueError:  # another drive
        inside = False
    if not inside:
        raise Forbidden(scope="desktop")
    return full
