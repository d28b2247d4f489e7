"""The root of the error tree, and the lookup of classes by code."""

from typing import ClassVar, TypeAlias

Param: TypeAlias = str | int | float


class AgentError(Exception):
    """Root of the tree. Families below it group codes; only leaves (classes with a `code`) are raised."""

    code: ClassVar[str] = ""

    def __init__(self, **params: Param) -> None:
        super().__init__(self.code)
        self.params: dict[str, Param] = params

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.params.items())])


class Unexpected(AgentError):
    """A bug in the program. Parameter `kind`: the exception's class name."""

    code = "agent.unexpected"


def leaves(root: type[AgentError] = AgentError) -> dict[str, type[AgentError]]:
    """Return every code of the tree with its class."""
    found: dict[str, type[AgentError]] = {}
    for child in root.__subclasses__():
        if child.code:
            found[child.code] = child
        found.update(leaves(child))
    return found


def from_code(code: str, params: dict[str, Param]) -> AgentError:
    """Rebuild an error that crossed a process or the network; an unknown code becomes `Unexpected`."""
    leaf = leaves().get(code)
    return leaf(**params) if leaf else Unexpected(kind=code)


def reason_of(error: BaseException) -> BaseException:
    """Return the cause of a failed task group: the first of its errors, which has a cause and a remedy."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
