"""The protocol between the agent and its child processes: typed calls in JSON lines, each response checked by the agent."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import GenericAlias
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote

from pydantic import ConfigDict, TypeAdapter

from agent.core.child import Child, ChildGarbled, ChildGone, ChildTimeout, Message
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
    from_code,
)

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, ser_json_bytes="base64", val_json_bytes="base64", defer_build=True)
_CODE = re.compile(r"[a-z_]+\.[a-z_]+")
# What can go wrong in an engine. An error of another kind would speak of the library, the settings or the desktop, and be told as theirs.
_ITS_OWN = (EngineError, ModelError, ImageError, RedactionError, CaptureError, Unexpected)
# Facts are numbers, formats and a model's name; what a job failed with is stored, and shown in a list.
_MOST_FACTS, _LONGEST_FACT = 10, 200
_OUTSIDE = (-9, -15)  # SIGKILL and SIGTERM: another program ended the process


class Codec(Generic[T]):
    """Turns one type into JSON values and back. Unknown fields, wrong types and numbers that are not finite are refused."""

    def __init__(self, kind: type[T], *paths: str) -> None:
        """`paths` are the fields with a path. It may hold bytes that are no text, which strict JSON can't express: it is sent quoted."""
        # Pydantic takes settings for plain dataclasses only through something that holds them: a tuple of one.
        holder: Any = GenericAlias(tuple, (kind,))
        self._adapter: TypeAdapter[Any] = TypeAdapter(holder, config=STRICT)
        self._paths = paths

    def dump(self, value: T) -> object:
        return self._adapter.dump_python((self._changed(value, quote),), mode="json")[0]

    def load(self, raw: object) -> T:
        """Raises ValueError."""
        # As text, because only JSON mode is strict and yet takes a list for a tuple and base64 for bytes.
        value: T = self._adapter.validate_json(json.dumps([raw]))[0]
        return self._changed(value, unquote)

    def _changed(self, value: Any, change: Callable[..., str]) -> T:
        if not self._paths:
            return value  # type: ignore[no-any-return]
        changed: T = replace(value, **{name: change(getattr(value, name), errors="surrogatepass") for name in self._paths})
        return changed


class _Nothing(Codec[None]):
    """Of a call that asks without saying anything."""

    def dump(self, value: None) -> object:
        return None

    def load(self, raw: object) -> None: ...


class _Done(Codec[None]):
    """Of a call that returns nothing."""

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
    """One thing that a process can be asked."""

    name: str
    request: Codec[Q]
    response: Codec[A]
    can_be: Callable[[A, Q], bool] = _any  # whether a well-formed response can be the answer to a request
    files: int = 0  # open files that come with a request; the handler closes them
    limit: float | None = None  # seconds; None: as the settings say
    urgent: bool = False  # a person waits for the answer

    def checked(self, response: A, request: Q) -> A:
        """Return the response. Raises EngineBadAnswer if it can't be the answer to `request`."""
        if not self.can_be(response, request):
            raise EngineBadAnswer
        return response


def request(number: int, operation: str, body: object, files: Sequence[int] = ()) -> Message:
    """`files` says which of the files handed over it speaks of, in the operation's order."""
    return {"id": number, "op": operation, "body": body, **({"files": list(files)} if files else {})}


def answer(number: object, body: object) -> Message:
    return {"id": number, "body": body}


def failure(number: object, error: AgentError) -> Message:
    return {"id": number, "error": {"code": error.code, "params": error.params}}


def believe(message: Message, number: int, codec: Codec[T]) -> T:
    """The answer to request `number`. Raises the error the engine named, or EngineBadAnswer for whatever is not an answer."""
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


class Client:
    """Makes calls to one child process, and names what goes wrong with it."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self.lost = False  # whether a call failed because the process ended, hung or can't be believed; then it is dead
        self.calls = 0  # so many were made

    async def ask(self, call: Call[Q, A], asked: Q, *, limit: float, files: Sequence[int] = ()) -> A:
        """Make one call, which may take `limit` seconds. Raises what the process names, or EngineError."""
        self.calls += 1
        try:
            message = await self.child.request(request(self.calls, call.name, call.request.dump(asked), files), timeout=limit)
            return call.checked(believe(message, self.calls, call.response), asked)
        except ChildGarbled as error:
            raise self._lost(EngineBadAnswer()) from error
        except ChildGone as error:
            raise self._lost(why_ended(error.exit_code)) from error
        except ChildTimeout as error:
            raise self._lost(EngineTimeout(seconds=limit)) from error
        except EngineBadAnswer as error:
            await self.child.kill()  # nothing more it says can be believed
            raise self._lost(error) from None

    def _lost(self, error: AgentError) -> AgentError:
        self.lost = True
        return error


class OneCall:
    """Makes each call to a process of its own, which is killed afterwards. One call at a time."""

    def __init__(self, command: Sequence[str]) -> None:
        """`command` starts the process."""
        self._command = command
        self._child: Child | None = None

    async def ask(self, call: Call[Q, A], asked: Q, *, limit: float) -> A:
        """Raises as `Client.ask`; EngineStartFailed if the process can't be started."""
        try:
            child = self._child = await Child.start(self._command, desktop=False)
        except ChildGone as error:
            raise why_ended(error.exit_code) from error
        try:
            return await Client(child).ask(call, asked, limit=limit)
        finally:
            self._child = None
            await child.kill()

    async def close(self) -> None:
        """End the process under way."""
        if self._child is not None:
            await self._child.kill()


def why_ended(exit_code: int | None) -> AgentError:
    """Return the error for a process that ended in the middle of a call."""
    if exit_code is None:
        return EngineStartFailed()
    return EngineKilled() if exit_code in _OUTSIDE else EngineCrashed()
