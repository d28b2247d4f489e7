"""How tests write pictures of the formats that are slow to write: in how little room they lie is of no interest there."""

from collections.abc import Mapping
from typing import Any, Final

QUICK: Final[Mapping[str, Mapping[str, Any]]] = {
    "AVIF": {"speed": 10, "max_threads": 1},
    "HEIF": {"enc_params": {"preset": "ultrafast", "x265:pools": "none"}},
}
