"""A collector that takes traces by OTLP over HTTP, and keeps them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from gzip import decompress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    service: str
    name: str
    trace: int
    id: int
    parent: int  # 0: none
    facts: dict[str, Any]
    ms: float


@dataclass
class OtlpReceiver:
    address: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)

    def of(self, trace: int) -> list[ReceivedSpan]:
        return [each for each in list(self.spans) if each.trace == trace]

    def take(self, content: bytes) -> None:
        for group in ExportTraceServiceRequest.FromString(content).resource_spans:
            service = _facts(group.resource.attributes)["service.name"]
            for raw in (span for scope in group.scope_spans for span in scope.spans):
                trace, own, parent = (int.from_bytes(each) for each in (raw.trace_id, raw.span_id, raw.parent_span_id))
                ms = (raw.end_time_unix_nano - raw.start_time_unix_nano) / 1e6
                self.spans.append(ReceivedSpan(service, raw.name, trace, own, parent, _facts(raw.attributes), ms))


def _facts(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def receiving() -> Iterator[OtlpReceiver]:
    receiver = OtlpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            assert self.path == "/v1/traces"
            receiver.take(decompress(content) if self.headers["content-encoding"] == "gzip" else content)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, name="collector")
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
