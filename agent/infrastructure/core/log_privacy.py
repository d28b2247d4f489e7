"""What the log may say: private values are withheld, and errors are described without their messages."""

import json
import re
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Final

from agent.domain.errors import AgentError

WITHHELD: Final = "[withheld]"
# Key words whose text is private. Numbers under such keys are counts or ids, and pass.
_PRIVATE = re.compile(
    r"address|dest|dir|directory|dst|faces?|file|filenames?|files|folders?|home|host|images?|input|label|names?|nearest|new|old|params|password|paths?"
    r"|people|persons?|photos?|query|root|secret|src|target|text|title|token|url|user|values?"
)
# Paths, including Windows paths, and quoted text, because third parties quote names.
_PATHLIKE = re.compile(r"(?:[A-Za-z]:)?[\\/][^\s'\"]+|~[\\/]|file:")
# A template of the API: its values are in braces, by their names.
_ROUTE = re.compile(r"/api(?:/[a-z0-9_.-]+|/\{[a-z_]+(?::path)?\})+")
_MOST_TOGETHER = 8  # of errors raised at once, so that a line stays short
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def places(error: BaseException) -> str:
    """Return where the error and its causes arose, as a line of JSON without messages, which may contain file names."""
    return json.dumps(described(error), default=lambda value: type(value).__name__)


def guard(_logger: object, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Structlog processor: replaces private values and lists their keys under `withheld`, so that the caller can be found and fixed."""
    withheld: list[str] = []
    safe: dict[str, object] = {key: value if key == "exc_info" else _safe(key, value, withheld) for key, value in event.items()}
    return {**safe, "withheld": sorted(set(withheld))} if withheld else safe


def without_names(text: str) -> str:
    """Return a third party's text without its paths and quotations."""
    return _PATHLIKE.sub("…", _QUOTED.sub("…", text))


def _safe(key: str, value: object, withheld: list[str]) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case AgentError():
            return {"code": value.code, **{name: _safe(name, param, withheld) for name, param in value.params.items()}}
        case BaseException():
            return type(value).__name__  # its message may contain a file name
        case str() if key == "route" and _ROUTE.fullmatch(value):
            return value
        case str() if not (any(map(_PRIVATE.fullmatch, key.lower().split("_"))) or _PATHLIKE.search(value)):
            return value
        case Mapping() if all(isinstance(name, str) and name.isidentifier() for name in value):
            return {name: _safe(f"{key}_{name}", inner, withheld) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe(key, inner, withheld) for inner in value]
        case _:
            withheld.append(key)
            return WITHHELD


def described(error: BaseException, told: frozenset[int] = frozenset()) -> dict[str, object]:
    """Return kind, code and location of an error, its causes and its parts; never its message, which may contain a file name.

    `told` holds the ids of the errors that it caused: a chain may lead back to one of them.
    """
    found: dict[str, object] = {"kind": type(error).__name__, "stack": _stack(error.__traceback__)}
    if isinstance(error, AgentError):
        found |= {"code": error.code, "facts": {name: _safe(name, value, []) for name, value in error.params.items()}}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    told |= {id(error)}
    if cause is not None and id(cause) not in told:
        found["cause"] = described(cause, told)
    if isinstance(error, BaseExceptionGroup):
        found["errors"] = [described(each, told) for each in error.exceptions[:_MOST_TOGETHER]]
    return found


def _stack(trace: TracebackType | None) -> list[str]:
    frames: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames[-12:]
