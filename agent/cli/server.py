"""What commands for a team server share."""

from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import BaseModel

from agent.cli.session import CommandSession
from agent.domain.errors import NotFound

if TYPE_CHECKING:
    from agent.web.client import Client

T = TypeVar("T", bound=BaseModel)


def of_server(session: CommandSession, client: "Client", path: str, answer: type[T]) -> T:
    """Return the answer to a route that only a team server has. Raises ClickException if what runs here is none."""
    try:
        return client.call("GET", path, answer)
    except NotFound as error:
        raise click.ClickException(session.texts("cli.members.no_server")) from error
