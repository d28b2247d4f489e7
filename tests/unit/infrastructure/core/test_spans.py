"""Spans of one piece of work belong together, and nothing is recorded that no one asked for."""

from collections.abc import Iterator

import pytest

from agent.domain.errors import ImageEmpty
from agent.infrastructure.core.request_id import bound
from agent.infrastructure.core.spans import REQUEST, Span, SpanKind, send_to, span, span_id_of, took, trace_id_of


@pytest.fixture
def spans() -> Iterator[list[Span]]:
    found = list[Span]()
    send_to(found.append)
    yield found
    send_to(None)


def test_nothing_is_recorded_while_spans_go_nowhere() -> None:
    with bound("0a1b"), span("photo", SpanKind.CONSUMER) as made:
        took("analyse", SpanKind.SERVER, 5)
        assert made is None


def test_nothing_is_recorded_without_an_id(spans: list[Span]) -> None:
    with span("photo", SpanKind.CONSUMER) as made:
        took("analyse", SpanKind.SERVER, 5)
    assert made is None and spans == []


def test_a_part_of_the_work_belongs_to_the_span_around_it(spans: list[Span]) -> None:
    with bound("0a1b"):
        with span("request", SpanKind.SERVER, of_request=True), span("ask", SpanKind.CLIENT, attempt=2):
            took("analyse", SpanKind.SERVER, 250.0)
        with span("later", SpanKind.CONSUMER):
            pass
    served, asked, request, later = spans
    assert {each.trace_id for each in spans} == {trace_id_of("0a1b")}
    assert (request.span_id, request.parent_id) == (span_id_of("0a1b"), 0)
    assert (served.parent_id, asked.parent_id, later.parent_id) == (asked.span_id, request.span_id, request.span_id)
    assert served.ended_ns - served.began_ns == 250_000_000 and asked.ended_ns >= asked.began_ns > 0
    assert asked.facts == {REQUEST: "0a1b", "attempt": 2}
    assert len({each.span_id for each in spans}) == 4


def test_work_without_a_request_is_a_trace_of_its_own(spans: list[Span]) -> None:
    with bound("0a1b"), span("request", SpanKind.SERVER, of_request=True), bound("job-7"), span("photo", SpanKind.CONSUMER):
        pass
    photo, request = spans
    assert photo.parent_id == 0 and photo.trace_id == trace_id_of("job-7") != request.trace_id


@pytest.mark.parametrize(("error", "code"), [(ImageEmpty(), "image.empty"), (ValueError("/photos/mei.jpg"), "agent.unexpected")])
def test_of_an_error_the_code_alone_is_kept(spans: list[Span], error: Exception, code: str) -> None:
    with pytest.raises(type(error)), bound("job-7"), span("photo", SpanKind.CONSUMER):
        raise error
    assert spans[0].error == code and "mei" not in repr(spans[0])
