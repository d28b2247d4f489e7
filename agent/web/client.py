"""The client of a running agent, used by the command line and by a second start."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx
from pydantic import BaseModel, ValidationError

from agent.domain.errors import AgentError, AgentUnreachable, ImageUnreadable, LifecycleError, NotRunning, from_code
from agent.library.scan_schemas import ScanLine, ScanRequest
from agent.people.edit_schemas import Edit, VerifyRequest
from agent.people.schemas import Edited, FaceSearchOut, Forgotten, Step, Verified
from agent.redaction.schemas import RedactLine, RedactRequest, Restored, RestoreRequest
from agent.screen.schemas import CaptureOut, CaptureRequest
from agent.screen.watch_schemas import WatchOut
from agent.web.own_listener import OwnListener
from agent.web.patience import patiently
from agent.web.peers import listens_for_us
from agent.web.schemas import Status
from agent.web.serving_lock import is_held
from agent.web.session_schemas import SessionCode, Sessions, SessionsEnded
from agent.web.whereabouts import Whereabouts, find, opening


class Client:
    """One agent, found through the connection file in its runtime folder."""

    def __init__(self, whereabouts: Whereabouts, transport: httpx.BaseTransport | None = None) -> None:
        self.address = f"http://127.0.0.1:{whereabouts.port}"
        self.headers = {"authorization": f"Bearer {whereabouts.token}"}
        self._http = httpx.Client(
            base_url=self.address,
            headers=self.headers,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            trust_env=False,
            transport=transport or OwnListener(),
        )

    @classmethod
    def find(cls, runtime: Path) -> "Client":
        """Raises NotRunning, also if no agent of this user listens there: a killed agent leaves its file."""
        where = find(runtime)
        if not is_held(runtime):
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

    def status(self) -> Status:
        with _translated():
            return Status.model_validate_json(self._call("GET", "/api/status").content)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """Send a call without a response body."""
        self._call("POST", path, None if body is None else json.dumps(body))

    def watch(self) -> WatchOut:
        with _translated():
            return WatchOut.model_validate_json(self._call("GET", "/api/watch").content)

    def switch_watch(self, on: bool) -> None:
        self._call("PUT", "/api/watch", json.dumps({"on": on}))

    def post_patiently(self, path: str) -> None:
        """Like `post`, for calls that depend on the network's speed."""
        self._long(path)

    def session_url(self, page: str = "library", at: str | None = None) -> str:
        """An address that opens the UI once, within a minute; `at` is a place in it."""
        with _translated():
            code = SessionCode.model_validate_json(self._call("POST", "/api/session/codes").content).code
        return opening(self.address, code, page, at)

    def sessions(self) -> Sessions:
        """The signed-in browsers."""
        with _translated():
            return Sessions.model_validate_json(self._call("GET", "/api/sessions").content)

    def end_sessions(self, number: int | None) -> SessionsEnded:
        """End a session, or all for None. Raises NotFound."""
        path = "/api/sessions" if number is None else f"/api/sessions/{number}"
        with _translated():
            return SessionsEnded.model_validate_json(self._call("DELETE", path).content)

    def scan(self, request: ScanRequest) -> Iterator[ScanLine]:
        """The scan's lines as they arrive. Raises AgentUnreachable if the agent ends or stops answering meanwhile."""
        with _translated():
            for line in self._lines("/api/scans", _body(request)):
                yield ScanLine.model_validate_json(line)

    def redact(self, request: RedactRequest) -> Iterator[RedactLine]:
        """The lines as they arrive; when the caller stops reading, work not yet begun is cancelled. Raises as `scan`."""
        with _translated():
            for line in self._lines("/api/redact", _body(request)):
                yield RedactLine.model_validate_json(line)

    def restore(self, request: RestoreRequest) -> Restored:
        """Restore a picture; a large one takes a while."""
        with _translated():
            return Restored.model_validate_json(self._long("/api/restore", _body(request)).content)

    def edit(self, edit: Edit) -> Edited:
        """Send the user's edit of people and faces."""
        with _translated():
            return Edited.model_validate_json(self._long("/api/people/edits", _body(edit)).content)

    def take_back(self) -> Step:
        """Undo the latest step."""
        with _translated():
            return Step.model_validate_json(self._long("/api/undo", "{}").content)

    def do_again(self) -> Step:
        with _translated():
            return Step.model_validate_json(self._long("/api/redo").content)

    def forget(self, person_id: int) -> Forgotten:
        with _translated():
            return Forgotten.model_validate_json(self._long(f"/api/people/{person_id}/forget").content)

    def verify(self, request: VerifyRequest) -> Verified:
        with _translated():
            return Verified.model_validate_json(self._long("/api/verify", _body(request)).content)

    def search_face(self, path: str) -> FaceSearchOut:
        """Faces similar to those in a photo, which is sent and not stored. Raises ImageUnreadable."""
        try:
            with Path(path).open("rb") as photo, _translated():
                return FaceSearchOut.model_validate_json(self._long("/api/search/face", photo, _IMAGE).content)
        except OSError as error:
            raise ImageUnreadable from error

    def capture(self, request: CaptureRequest) -> CaptureOut:
        """Take a capture; the user may take any time to choose."""
        with _translated():
            return CaptureOut.model_validate_json(self._long("/api/captures", _body(request)).content)

    def get_json(self, path: str) -> object:
        return json.loads(self._call("GET", path).content)

    def post_json(self, path: str, body: object) -> object:
        return json.loads(self._call("POST", path, json.dumps(body)).content)

    def _call(self, method: str, path: str, content: str | None = None) -> httpx.Response:
        with _translated():
            answer = self._http.request(method, path, content=content, headers=_JSON if content else None)
            _check(answer)
            return answer

    def _long(self, path: str, content: str | IO[bytes] | None = None, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A call of unlimited duration, see `patiently`."""

        def answers() -> Iterator[httpx.Response]:
            told = (headers or _JSON) if content is not None else None
            yield self._http.post(path, content=content, headers=told, timeout=_NO_LIMIT)

        with _translated():
            (answer,) = patiently(answers, self._still_there)
            _check(answer)
            return answer

    def _lines(self, path: str, content: str) -> Iterator[str]:
        """The lines of a streamed response, see `patiently`."""

        def lines() -> Iterator[str]:
            with self._http.stream("POST", path, content=content, headers=_JSON, timeout=_NO_LIMIT) as answer:
                _check(answer)
                yield from answer.iter_lines()

        return patiently(lines, self._still_there)

    def _still_there(self) -> None:
        """Raises AgentUnreachable if the agent is gone or misses the time limit of short calls."""
        try:
            self.status()
        except LifecycleError as error:
            raise AgentUnreachable from error
        except AgentError:
            pass  # any answer counts


def _body(request: BaseModel) -> str:
    """The request as ASCII JSON: a path may hold undecodable bytes, which UTF-8 can't represent."""
    return json.dumps(request.model_dump(mode="json"))


_JSON = {"content-type": "application/json"}
_IMAGE = {"content-type": "image/*"}
_CONNECT_S = 2.0
_ANSWER_S = 30.0  # an agent that is silent for this long counts as gone
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
    raise _error(answer)


def _error(answer: httpx.Response) -> AgentError:
    """The error reported by the agent."""
    try:
        said = answer.json()
        return from_code(str(said["code"]), dict(said.get("params") or {}))
    except (ValueError, KeyError, TypeError):
        return from_code(f"http.{answer.status_code}", {})
