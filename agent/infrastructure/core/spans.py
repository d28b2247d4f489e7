"""Spans: what a part of one piece of work took. Nothing is recorded until `send_to` says where spans go.

All spans with the same request id are one trace. The ids of the trace and of the request's own span are derived from the request id, so
that processes pass nothing on besides that. Attributes are routes, operations, codes and numbers: no name, path or picture.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from agent.domain.errors import AgentError, Unexpected
from agent.infrastructure.core.request_id import current_id, is_of_request

Fact: TypeAlias = str | int | float


class SpanKind(StrEnum):
    """As OpenTelemetry means them."""

    SERVER = "server"
    CLIENT = "client"
    CONSUMER = "consumer"


@dataclass(slots=True)
class Span:
    """Times are nanoseconds since 1970. A `parent_id` of 0 is none; `error` is an error code."""

    name: str
    kind: SpanKind
    trace_id: int
    span_id: int
    parent_id: int
    began_ns: int
    ended_ns: int
    facts: dict[str, Fact] = field(default_factory=dict)
    error: str = ""


REQUEST: Final = "ai_popup.request"  # the attribute with the request id, as log lines have it
_sink: Callable[[Span], None] | None = None
_inside: ContextVar[tuple[str, int]] = ContextVar("span", default=("", 0))  # the request id, and the span that runs


def send_to(sink: Callable[[Span], None] | None) -> None:
    """Give each ended span to `sink`, which must not block; None ends that."""
    global _sink
    _sink = sink


@contextmanager
def span(name: str, kind: SpanKind, *, of_request: bool = False, **facts: Fact) -> Iterator[Span | None]:
    """Record what happens inside, if a request id is bound and spans go anywhere. The request's own span is `of_request`."""
    sink, request = _sink, current_id()
    if sink is None or not request:
        yield None
        return
    made = _begun(name, kind, request, facts, of_request=of_request)
    token = _inside.set((request, made.span_id))
    try:
        yield made
    except AgentError as error:
        made.error = error.code
        raise
    except Exception:
        made.error = Unexpected.code
        raise
    finally:
        _inside.reset(token)
        made.ended_ns = time.time_ns()
        sink(made)


def took(name: str, kind: SpanKind, ms: float, **facts: Fact) -> None:
    """Record something that another process told of and that ended just now, as a part of the span that runs here."""
    sink, request = _sink, current_id()
    if sink is None or not request:
        return
    made = _begun(name, kind, request, facts, of_request=False)
    made.began_ns -= int(ms * 1e6)
    sink(made)


def trace_id_of(request: str) -> int:
    """Return the trace of a request id: 128 bits."""
    return _derived("trace", request, 16)


def span_id_of(request: str) -> int:
    """Return the id of the request's own span: 64 bits."""
    return _derived("span", request, 8)


def _begun(name: str, kind: SpanKind, request: str, facts: dict[str, Fact], *, of_request: bool) -> Span:
    of, parent = _inside.get()
    if of != request:  # the first span of this id in this process: its parent is the request's, which ran elsewhere or earlier
        parent = span_id_of(request) if is_of_request(request) and not of_request else 0
    span_id = span_id_of(request) if of_request else secrets.randbits(64) or 1
    now = time.time_ns()
    return Span(name, kind, trace_id_of(request), span_id, parent, now, now, {REQUEST: request, **facts})


def _derived(what: str, request: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{what} {request}".encode()).digest()[:size]) or 1
