"""What a child process tells the log about a request: it can write no log itself, because its sandbox lets it open no file."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.infrastructure.core.log_privacy import described
from agent.infrastructure.core.request_id import is_id

_PLACE: Final = re.compile(r"[A-Za-z0-9_.?<>]{1,80}:[A-Za-z0-9_<>]{1,80}:[0-9]{1,7}")
_MOST_PLACES: Final = 12


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One served request. `stack` is where a defect arose: module, function and line."""

    request: str
    ms: float
    stack: tuple[str, ...] = ()

    def message(self) -> Mapping[str, object]:
        return {"request": self.request, "ms": self.ms, **({"stack": self.stack} if self.stack else {})}

    @classmethod
    def read(cls, raw: object, sent: str) -> "ServedRequest":
        """Return what a process says of the request that was sent with this id. Raises ValueError: its output is never trusted."""
        match raw:
            case {"request": str(request), "ms": float(ms), **more} if request == sent and 0 <= ms < 1e9 and more.keys() <= {"stack"}:
                stack = more.get("stack", [])
                if isinstance(stack, list) and len(stack) <= _MOST_PLACES and all(map(_is_place, stack)):
                    return cls(request, ms, tuple(stack))
        raise ValueError


class Serving:
    """One request as its process serves it. Without an id there is nothing to tell."""

    def __init__(self, message: Mapping[str, Any]) -> None:
        request = message.get("request")
        self._request = request if is_id(request) else ""
        self._began = time.perf_counter()
        self._stack: tuple[str, ...] = ()

    def failed(self, error: BaseException) -> None:
        """Note where a defect arose."""
        stack = described(error)["stack"]
        self._stack = tuple(map(str, stack)) if isinstance(stack, list) else ()

    def noted(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return the answer with the note."""
        if not self._request:
            return answer
        ms = round((time.perf_counter() - self._began) * 1000, 1)
        return {**answer, "served": ServedRequest(self._request, ms, self._stack).message()}


def log_served(raw: object, sent: str, *, operation: str, pid: int, is_photo: bool) -> None:
    """Write the line of a process. Requests without a photo, such as the matcher's, are details. Raises ValueError, see
    `ServedRequest.read`."""
    import structlog  # only here: a child process, which imports this module too, does without

    from agent.infrastructure.core.spans import SpanKind, took

    served, log = ServedRequest.read(raw, sent), structlog.get_logger()
    took(operation, SpanKind.SERVER, served.ms, **{"process.pid": pid, "photo": int(is_photo)})
    facts = {"operation": operation, "engine": pid, "ms": served.ms}
    if served.stack:
        log.error("engine.defect", **facts, stack=served.stack)
    elif is_photo:
        log.info("engine.served", **facts)
    else:
        log.debug("engine.served", **facts)


def _is_place(value: object) -> bool:
    return isinstance(value, str) and _PLACE.fullmatch(value) is not None
