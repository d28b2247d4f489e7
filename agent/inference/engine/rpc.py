"""The protocol between the agent and its child processes: typed calls in JSON lines, whose responses the agent validates."""

import json
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import GenericAlias
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from pydantic import ConfigDict, TypeAdapter

from agent.domain.errors import (
    AgentError,
    CaptureError,
    EngineBadAnswer,
    EngineCrashed,
    EngineError,
    EngineKilled,
    EngineStartFailed,
    EngineTimeout,
    ImageError,
    ModelError,
    RedactionError,
    Unexpected,
    XmpError,
    from_code,
)
from agent.inference.engine.request_log import log_served
from agent.infrastructure.core.json_child import Child, ChildExited, ChildProtocolError, ChildTimeout, Message
from agent.infrastructure.core.request_id import current_id
from agent.infrastructure.core.spans import SpanKind, span

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64", val_json_bytes="base64", defer_build=True)
_CODE = re.compile(r"[a-z_]+\.[a-z_]+")
# The errors of an engine. Errors of other kinds would be shown as those of the library, the settings or the desktop.
_ITS_OWN = (EngineError, ModelError, ImageError, RedactionError, CaptureError, XmpError, Unexpected)
# Parameters are numbers, formats and a model's name; a job's error is stored, and shown in a list.
_MOST_FACTS, _LONGEST_FACT = 10, 200
_OUTSIDE = (-9, -15)  # SIGKILL and SIGTERM: another program ended the process
# Windows has the number that the other program gives: 1 from the Task Manager and Python, 15 from psutil. Python also ends so by an error,
# which is likely only before the first answer.
_OUTSIDE_ON_WINDOWS = (1, 15)
# A page of a mapped file could not be read: the file was cut off, or its drive failed. Windows has no such signal.
_FAULT = -getattr(signal, "SIGBUS", 0)


class Codec(Generic[T]):
    """Converts one type to JSON values and back. Unknown fields, wrong types and non-finite numbers are refused."""

    def __init__(self, kind: type[T], *paths: str) -> None:
        """`paths` are the fields with a path, which may contain invalid text that strict JSON can't express: it is sent quoted."""
        # Pydantic accepts settings for plain dataclasses only through a container: a tuple of one.
        holder: Any = GenericAlias(tuple, (kind,))
        self._adapter: TypeAdapter[Any] = TypeAdapter(holder, config=STRICT)
        self._paths = paths

    def dump(self, value: T) -> object:
        return self._adapter.dump_python((self._changed(value, quote),), mode="json")[0]

    def text(self, value: T) -> bytes:
        """Convert to JSON text."""
        return self._adapter.dump_json((self._changed(value, quote),))[1:-1]

    def load(self, raw: object) -> T:
        """Convert from JSON. Raises ValueError."""
        # As text, because only JSON mode is strict and yet accepts a list for a tuple and base64 for bytes.
        value: T = self._adapter.validate_json(json.dumps([raw]))[0]
        return self._changed(value, unquote)

    def _changed(self, value: Any, change: Callable[..., str]) -> T:
        if not self._paths:
            return value  # type: ignore[no-any-return]
        changed: T = replace(value, **{name: change(getattr(value, name), errors="surrogatepass") for name in self._paths})
        return changed


class _Nothing(Codec[None]):
    """For a call without an argument."""

    def dump(self, value: None) -> object:
        return None

    def load(self, raw: object) -> None: ...


class _Done(Codec[None]):
    """For a call without a result."""

    def dump(self, value: None) -> object:
        return True

    def load(self, raw: object) -> None:
        if raw is not True:
            raise ValueError


NOTHING, DONE = _Nothing(type(None)), _Done(type(None))
_PARAMS = Codec(dict[str, str | int | float])


def _any(_response: object, _request: object) -> bool:
    return True


@dataclass(frozen=True, slots=True, eq=False)
class Call(Generic[Q, A]):
    """One operation of a process."""

    name: str
    request: Codec[Q]
    response: Codec[A]
    can_be: Callable[[A, Q], bool] = _any  # whether a well-formed response can answer a request
    files: int | Callable[[Q], int] = 0  # open files of a request; the handler closes them
    limit: float | None = None  # seconds; None: as in the settings
    urgent: bool = False  # the user waits for the answer

    def files_of(self, request: Q) -> int:
        """Return the number of open files that come with a request."""
        return self.files if isinstance(self.files, int) else self.files(request)

    def checked(self, response: A, request: Q) -> A:
        """Return the response. Raises EngineBadAnswer if it can't be the answer to `request`."""
        if not self.can_be(response, request):
            raise EngineBadAnswer
        return response


def request(number: int, operation: str, body: object, files: Sequence[int] = (), request_id: str = "") -> Message:
    """Build a request; `files` are tickets of passed files, in the operation's order; the process tells the log of a `request_id`."""
    message: Message = {"id": number, "op": operation, "body": body}
    return message | ({"files": list(files)} if files else {}) | ({"request": request_id} if request_id else {})


def with_text(message: Message, body: bytes) -> bytes:
    """Return a request as text, with a body that is text already."""
    return b'%s, "body": %s}' % (json.dumps({name: each for name, each in message.items() if name != "body"}).encode()[:-1], body)


def answer(number: object, body: object) -> Message:
    return {"id": number, "body": body}


def failure(number: object, error: AgentError) -> Message:
    return {"id": number, "error": {"code": error.code, "params": error.params}}


def believe(message: Message, number: int, codec: Codec[T]) -> T:
    """Return the answer to request `number`. Raises the engine's error, or EngineBadAnswer for an invalid response."""
    try:
        if message.get("id") != number:
            raise EngineBadAnswer
        if "error" in message:
            raise _named(message["error"])
        return codec.load(message["body"])
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        raise EngineBadAnswer from error


def _named(raw: object) -> AgentError:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("code"), str) or not _CODE.fullmatch(raw["code"]):
        return EngineBadAnswer()
    error = from_code(raw["code"], _PARAMS.load(raw.get("params")))
    short = all(len(str(each)) <= _LONGEST_FACT for fact in error.params.items() for each in fact)
    return error if isinstance(error, _ITS_OWN) and short and len(error.params) <= _MOST_FACTS else EngineBadAnswer()


class RpcClient:
    """Makes calls to one child process, and translates its failures."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.lost = False  # whether a call failed because the process ended, hung or sent invalid data; then it is dead
        self.faulted = False  # whether it ended because a mapped file could not be read
        self.calls = 0  # number of calls made

    async def ask(self, call: Call[Q, A], asked: Q, *, limit: float, files: Sequence[int] = (), text: bytes | None = None) -> A:
        """Make one call, within `limit` seconds. Raises the process's error, or EngineError.

        `text` is that of a large request, which another thread made: that takes milliseconds.
        """
        self.calls += 1
        try:
            sent = current_id()
            whole = request(self.calls, call.name, None if text is not None else call.request.dump(asked), files, sent)
            with span(f"ask {call.name}", SpanKind.CLIENT):
                message = await self.child.request(whole if text is None else with_text(whole, text), timeout=limit)
                if "served" in message:
                    self._log(message["served"], sent, call, with_files=bool(files))
                return call.checked(believe(message, self.calls, call.response), asked)
        except ChildProtocolError as error:
            raise self._lost(EngineBadAnswer()) from error
        except ChildExited as error:
            self.faulted = _FAULT < 0 and error.exit_code == _FAULT
            raise self._lost(why_ended(error.exit_code, greeted=self.calls > 1)) from error
        except ChildTimeout as error:
            raise self._lost(EngineTimeout(seconds=limit)) from error
        except EngineBadAnswer as error:
            await self.child.kill()  # its output can't be trusted any more
            raise self._lost(error) from None

    def _log(self, served: object, sent: str, call: Call[Any, Any], *, with_files: bool) -> None:
        try:
            log_served(served, sent, operation=call.name, pid=self.child.pid, is_photo=with_files)
        except ValueError as error:
            raise EngineBadAnswer from error

    def _lost(self, error: AgentError) -> AgentError:
        self.lost = True
        return error


class RpcCall:
    """Makes each call to a fresh process, which is killed afterwards. One call at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        """`command` starts the process."""
        self._command = command
        self._child: Child | None = None

    async def ask(self, call: Call[Q, A], asked: Q, *, limit: float) -> A:
        """Make one call. Raises as `RpcClient.ask`; EngineStartFailed if the process can't be started."""
        try:
            child = self._child = await Child.start(self._command, desktop=False)
        except ChildExited as error:
            raise why_ended(error.exit_code) from error
        try:
            return await RpcClient(child).ask(call, asked, limit=limit)
        finally:
            self._child = None
            await child.kill()

    async def close(self) -> None:
        """End the running process."""
        if self._child is not None:
            await self._child.kill()


def why_ended(exit_code: int | None, *, greeted: bool = False) -> AgentError:
    """Return the error for a process that ended during a call; `greeted` if it answered before."""
    if exit_code is None:
        return EngineStartFailed()
    killed = exit_code in _OUTSIDE or (sys.platform == "win32" and greeted and exit_code in _OUTSIDE_ON_WINDOWS)
    return EngineKilled() if killed else EngineCrashed()
