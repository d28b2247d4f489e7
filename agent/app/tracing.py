"""Sends a server's spans by OpenTelemetry's protocol (OTLP over HTTP). Its packages are an extra, and are loaded only if it is on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from agent import __version__
from agent.domain.errors import TracingPackagesMissing
from agent.infrastructure.core import spans
from agent.infrastructure.core.spans import Span

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

_PATH: Final = "/v1/traces"
_LIMIT_S: Final = 5.0  # for one batch, with its repetitions; also at the end


@contextmanager
def traced(address: str, service: str) -> Iterator[None]:
    """Send the spans of what happens inside to a collector at `address`; with an empty one nothing is recorded.

    What the collector doesn't take in time is dropped: spans wait in a bounded queue and never hold up work. Raises TracingPackagesMissing.
    """
    if not address:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise TracingPackagesMissing from error
    processor = BatchSpanProcessor(OTLPSpanExporter(endpoint=address.rstrip("/") + _PATH, timeout=_LIMIT_S))
    readable = _readable(Resource.create({"service.name": service, "service.version": __version__}))
    spans.send_to(lambda span: processor.on_end(readable(span)))
    try:
        yield
    finally:
        spans.send_to(None)
        processor.shutdown()  # type: ignore[no-untyped-call]  # its package leaves out this one type


def _readable(resource: "Resource") -> Callable[[Span], "ReadableSpan"]:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
    from opentelemetry.trace.status import Status, StatusCode

    scope, sampled = InstrumentationScope("ai-popup", __version__), TraceFlags(TraceFlags.SAMPLED)

    def convert(span: Span) -> ReadableSpan:
        return ReadableSpan(
            span.name,
            context=SpanContext(span.trace_id, span.span_id, is_remote=False, trace_flags=sampled),
            parent=SpanContext(span.trace_id, span.parent_id, is_remote=True, trace_flags=sampled) if span.parent_id else None,
            resource=resource,
            attributes={**span.facts, **({"error.type": span.error} if span.error else {})},
            kind=SpanKind[span.kind.name],
            status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
            start_time=span.began_ns,
            end_time=span.ended_ns,
            instrumentation_scope=scope,
        )

    return convert
