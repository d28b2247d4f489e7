"""How often each error code was logged as a warning or worse since the program started."""

from collections import Counter
from collections.abc import MutableMapping
from typing import Final

_LEVELS: Final = frozenset({"warning", "error", "exception", "critical"})
PHOTO_FAILED: Final = "image.failed"  # counted by itself: it is no defect of the program
REQUEST_REFUSED: Final = "request.refused"  # requests count their own codes

logged: Final[Counter[str]] = Counter()


def count(_logger: object, method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """A processor of structlog that changes nothing."""
    code = event.get("code")
    if method in _LEVELS and isinstance(code, str) and event.get("event") not in (PHOTO_FAILED, REQUEST_REFUSED):
        logged[code] += 1
    return event
