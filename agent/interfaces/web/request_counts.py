"""Counts requests by route, status and error code, gives each an id for the log, and logs refusals and changes."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.infrastructure.core.request_id import bound, new_id
from agent.infrastructure.core.spans import Span, SpanKind, span

log = structlog.get_logger()

RECORD: Final = "ai_popup.request"  # in the request's ASGI scope: its `RequestRecord`
# Seconds until an answer begins. 0.5 is the objective of the alert rules.
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
NO_ROUTE: Final = "none"  # refused before its route was found, or there is none
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_CHANGING: Final = _METHODS - _READING  # they may make work, which other processes log with the same id
_ERROR: Final = 400
_DEFECT: Final = 500
_UNKNOWN: Final = 401
_REFUSALS: Final = frozenset({_UNKNOWN, 403, 429})
_CUT_OFF: Final = 499  # the client left before an answer


@dataclass(slots=True)
class RequestRecord:
    """What becomes known of a request on its way. `route` is its template, without ids."""

    id: str
    route: str = NO_ROUTE
    code: str = ""
    member: str = ""
    """the random id of the member who asks"""


@dataclass(slots=True)
class Latency:
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def took(self, seconds: float) -> None:
        self.seconds += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1


class RequestCounts:
    """Only numbers, by a bounded set of labels: templates of routes, methods, statuses and codes. They outlast a restart of the loop."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()  # by method, route and status
        self.latencies: dict[tuple[str, str], Latency] = {}  # by method and route
        self.codes: Counter[tuple[str, int]] = Counter()  # by error code and status
        self.running = 0

    def ended(self, method: str, record: RequestRecord, status: int, seconds: float) -> None:
        self.requests[method, record.route, status] += 1
        if record.code:
            self.codes[record.code, status] += 1
        if status != _CUT_OFF:
            self.latencies.setdefault((method, record.route), Latency()).took(seconds)


class CountedRequests:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, counts: RequestCounts, clock: Callable[[], float] = time.perf_counter) -> None:
        self._app = app
        self._counts = counts
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record, began, counts = RequestRecord(new_id()), self._clock(), self._counts
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        status, took = _CUT_OFF, 0.0

        async def answered(message: Message) -> None:
            nonlocal status, took
            if message["type"] == "http.response.start":
                status, took = int(message["status"]), self._clock() - began
                message = {**message, "headers": [*message["headers"], (b"x-request-id", record.id.encode())]}
            await send(message)

        counts.running += 1
        try:
            with bound(record.id), span("request", SpanKind.SERVER, of_request=True) as traced:
                try:
                    await self._app({**scope, RECORD: record}, receive, answered)
                finally:
                    _describe(traced, method, record, status)
        finally:
            counts.running -= 1
            counts.ended(method, record, status, took)
            if method in _CHANGING and status < _ERROR:
                log.info("request.done", request=record.id, status=status, method=method, route=record.route, ms=round(took * 1000))
            if status in _REFUSALS:
                facts: dict[str, Any] = {"member": record.member} if record.member else {}
                write = log.info if status == _UNKNOWN and not _shows_anything(scope) else log.warning  # a page that asks to sign in
                write("request.refused", request=record.id, status=status, code=record.code, method=method, route=record.route, **facts)


def _shows_anything(scope: Scope) -> bool:
    """Whether the request came with a session, a token, a ticket, or something to sign in by."""
    return scope["method"] not in _READING or bool(scope["query_string"]) or any(name == b"authorization" for name, _ in scope["headers"])


def _describe(traced: Span | None, method: str, record: RequestRecord, status: int) -> None:
    if traced is None:
        return
    traced.name = f"{method} {record.route}"
    traced.facts |= {"http.request.method": method, "http.route": record.route, "http.response.status_code": status}
    traced.error = record.code if status >= _DEFECT else ""


def record_of(scope: Scope) -> RequestRecord | None:
    """None where nothing is counted: on the desktop."""
    found: RequestRecord | None = scope.get(RECORD)
    return found


def note_code(scope: Scope, code: str) -> None:
    """Note the error that a request is answered with."""
    if (record := record_of(scope)) is not None:
        record.code = code
