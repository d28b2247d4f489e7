"""The root of the error tree, and the way from a code back to its class."""

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
    """A defect of the program. Parameter `kind`: the exception's class name."""

    code = "agent.unexpected"


def leaves(root: type[AgentError] = AgentError) -> dict[str, type[AgentError]]:
    """Every code of the tree with its class."""
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
    """What a group of tasks failed with: the first of its errors, which can be told with cause and remedy."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
