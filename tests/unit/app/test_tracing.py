"""What reaches an OpenTelemetry collector."""

import sys

import pytest

from agent.app.tracing import traced
from agent.domain.errors import ImageEmpty, TracingPackagesMissing
from agent.infrastructure.core.request_id import bound
from agent.infrastructure.core.spans import SpanKind, span, trace_id_of
from tests.support.otlp_collector import receiving


def test_spans_arrive_with_the_code_of_an_error() -> None:
    with receiving() as collector:
        photo = span("photo", SpanKind.CONSUMER, job=7)
        with traced(f"{collector.address}/", "ai-popup-server"), bound("job-7"), pytest.raises(ImageEmpty), photo:
            raise ImageEmpty
        [received] = collector.of(trace_id_of("job-7"))
        with span("photo", SpanKind.CONSUMER) as made:
            assert made is None, "none is recorded after the end"
    assert (received.service, received.name, received.parent) == ("ai-popup-server", "photo", 0)
    assert received.facts == {"ai_popup.request": "job-7", "job": 7, "error.type": "image.empty"}


def test_without_an_address_nothing_of_opentelemetry_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with traced("", "ai-popup-server"), bound("0a1b"), span("request", SpanKind.SERVER) as made:
        assert made is None
    with pytest.raises(TracingPackagesMissing), traced("http://127.0.0.1:1", "ai-popup-server"):
        pass
