"""The client of a running agent, used by the command line and by a second start."""

import json
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

import httpcore
import httpx
from pydantic import BaseModel, ValidationError

from agent.domain.errors import AgentError, AgentNotAnswering, AgentUnreachable, NotRunning, from_code
from agent.interfaces.web.client_keepalive import SILENCE_S, iterate_with_liveness_check
from agent.interfaces.web.peers import listens_for_us
from agent.interfaces.web.runtime_file import RuntimeInfo, find, is_serving, opening, runtimes
from agent.interfaces.web.schemas import SessionCode, Sessions, SessionsEnded, Status

T = TypeVar("T", bound=BaseModel)
Item = TypeVar("Item")


class Client:
    """One agent, found through the connection file in its runtime folder."""

    in_process = False
    """Whether the application is called in this process: there is no agent, and no browser reaches it."""

    def __init__(self, runtime_info: RuntimeInfo, transport: httpx.BaseTransport | None = None) -> None:
        self.address = f"{'https' if runtime_info.certificate else 'http'}://127.0.0.1:{runtime_info.port}"
        self.pid = runtime_info.pid
        self.on_silence: Callable[[], None] = lambda: None
        """called when a slow call has had no sign of life for three seconds"""
        self.headers = {"authorization": f"Bearer {runtime_info.token}"}
        self._http = httpx.Client(
            base_url=self.address,
            headers=self.headers,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            trust_env=False,
            transport=transport or _OwnListener(runtime_info.certificate),
        )

    @classmethod
    def find(cls, runtime: Path) -> "Client":
        """Raises NotRunning, also if no agent of this user listens there: a killed agent leaves its file."""
        *some, last = runtimes(runtime)
        for each in some:
            with suppress(NotRunning):
                return cls._found(each)
        return cls._found(last)

    @classmethod
    def _found(cls, runtime: Path) -> "Client":
        where = find(runtime)
        if not is_serving(runtime):
            raise NotRunning
        try:
            socket.create_connection(("127.0.0.1", where.port), timeout=_CONNECT_S).close()
        except (OSError, OverflowError) as error:  # a closed port on Windows often takes the whole timeout
            raise NotRunning from error
        if not listens_for_us(("127.0.0.1", where.port)):
            raise NotRunning
        return cls(where)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def call(self, method: str, path: str, answer: type[T], body: BaseModel | None = None) -> T:
        """Call and return the response. Raises AgentUnreachable if there is none within the limit."""
        with _translated():
            return answer.model_validate_json(self._call(method, path, _json(body)).content)

    def tell(self, method: str, path: str, body: BaseModel | None = None) -> None:
        """Send a call without a response body."""
        self._call(method, path, _json(body))

    def post_long(self, path: str, answer: type[T], body: BaseModel | IO[bytes] | None = None) -> T:
        """Return the response to a POST of unlimited duration, see `iterate_with_liveness_check`. A picture is sent as an open file."""
        with _translated():
            return answer.model_validate_json(self._long(path, body).content)

    def send_long(self, path: str) -> None:
        """Like `post_long`, without a response body."""
        self._long(path)

    def lines(self, path: str, answer: type[T], body: BaseModel | None = None) -> Iterator[T]:
        """Yield the lines of a streamed response. When the caller stops reading, work not yet begun is cancelled.

        Raises AgentUnreachable if the agent ends meanwhile, AgentNotAnswering if it stops answering.
        """
        with _translated():
            for line in self._lines(path, _json(body)):
                yield answer.model_validate_json(line)

    def status(self) -> Status:
        return self.call("GET", "/api/status", Status)

    def session_url(self, page: str = "library", at: str | None = None) -> str:
        """An address that opens the UI once, within a minute; `at` is a place in it."""
        return opening(self.address, self.call("POST", "/api/session/codes", SessionCode).code, page, at)

    def sessions(self) -> Sessions:
        """Browsers that are signed in."""
        return self.call("GET", "/api/sessions", Sessions)

    def end_sessions(self, number: int | None) -> SessionsEnded:
        """All for None. Raises NotFound."""
        return self.call("DELETE", "/api/sessions" if number is None else f"/api/sessions/{number}", SessionsEnded)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """Send a call without a response body."""
        self._call("POST", path, None if body is None else json.dumps(body))

    def get_json(self, path: str) -> object:
        return json.loads(self._call("GET", path).content)

    def post_json(self, path: str, body: object) -> object:
        return json.loads(self._call("POST", path, json.dumps(body)).content)

    def _call(self, method: str, path: str, content: str | None = None) -> httpx.Response:
        with _translated():
            answer = self._http.request(method, path, content=content, headers=_JSON if content else None)
            _check(answer)
            return answer

    def _long(self, path: str, body: BaseModel | IO[bytes] | None = None) -> httpx.Response:
        content = _json(body) if body is None or isinstance(body, BaseModel) else body
        headers = None if body is None else _JSON if isinstance(body, BaseModel) else _IMAGE

        def answers() -> Iterator[httpx.Response]:
            yield self._http.post(path, content=content, headers=headers, timeout=_NO_LIMIT)

        with _translated():
            (answer,) = self._wait(answers)
            _check(answer)
            return answer

    def _lines(self, path: str, content: str | None) -> Iterator[str]:
        def lines() -> Iterator[str]:
            with self._http.stream("POST", path, content=content, headers=_JSON, timeout=_NO_LIMIT) as answer:
                _check(answer)
                yield from answer.iter_lines()

        return self._wait(lines)

    def _wait(self, source: Callable[[], Iterator[Item]]) -> Iterator[Item]:
        return iterate_with_liveness_check(source, self._still_there)

    def _still_there(self) -> None:
        """Raises AgentUnreachable if the agent is gone, AgentNotAnswering if it gives no sign of life."""
        if not self._answers(_SOON_S):
            self.on_silence()
            if not self._answers(_SILENT_S - SILENCE_S - _SOON_S):
                raise AgentNotAnswering

    def _answers(self, within_s: float) -> bool:
        """Whether it answers anything in that time. Raises AgentUnreachable if it is gone."""
        try:
            self._http.get("/api/status", timeout=httpx.Timeout(within_s, connect=min(within_s, _CONNECT_S)))
        except (httpx.ReadTimeout, httpx.ConnectTimeout):
            return False
        except httpx.HTTPError as error:
            raise AgentUnreachable from error
        return True


class InProcessClient(Client):
    """A client of the application in this process, which needs no check whether it still runs."""

    in_process = True

    def _wait(self, source: Callable[[], Iterator[Item]]) -> Iterator[Item]:
        return source()


def _json(body: BaseModel | None) -> str | None:
    """In ASCII: a path may hold bytes that are no text, which UTF-8 can't tell."""
    return None if body is None else json.dumps(body.model_dump(mode="json"))


_JSON = {"content-type": "application/json"}
_IMAGE = {"content-type": "image/*"}
_CONNECT_S = 2.0
KEPT_S = 2.0  # an idle connection: the server closes its end after 5 s, and a request at that moment would fail
_AT_ANY_TIME = 0x200000  # OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which `ssl` has no name
_ANSWER_S = 30.0  # an agent that is silent for this long counts as gone
_SOON_S = 0.5
_SILENT_S = 15.0  # without any sign of life, a slow call ends
_NO_LIMIT = httpx.Timeout(None, connect=_CONNECT_S)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except httpx.ConnectError as error:
        raise NotRunning from error
    except (httpx.HTTPError, ValidationError) as error:
        raise AgentUnreachable from error  # or another program listens there, because the agent was killed


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    answer.read()
    error = answer.extensions.get("error")  # as it arose, where that was in this process
    if isinstance(error, AgentError):
        raise error.with_traceback(answer.extensions["traceback"])
    raise _error(answer)


def _error(answer: httpx.Response) -> AgentError:
    """The error reported by the agent."""
    try:
        said = answer.json()
        return from_code(str(said["code"]), dict(said.get("params") or {}))
    except (ValueError, KeyError, TypeError):
        return from_code(f"http.{answer.status_code}", {})


class _OwnListener(httpx.HTTPTransport):
    def __init__(self, certificate: str) -> None:
        # Without a certificate nothing is encrypted; httpx would read all public authorities all the same, which takes 6 ms.
        tls = _trusting(certificate) if certificate else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().__init__(verify=tls, trust_env=False)  # a proxy in the environment must never see a request to this machine
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=_Checked(), keepalive_expiry=KEPT_S, retries=0)


def _trusting(certificate: str) -> ssl.SSLContext:
    """Trust this certificate alone, also when it has expired; it need not name the loopback address. Raises NotRunning if it is gone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _AT_ANY_TIME
    try:
        context.load_verify_locations(certificate)
    except OSError as error:
        raise NotRunning from error
    return context


class _Checked(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect. Raises ConnectError, also if another user listens there."""
        stream = super().connect_tcp(host, port, timeout, local_address, socket_options)
        if listens_for_us((host, port)):
            return stream
        stream.close()
        raise httpcore.ConnectError
