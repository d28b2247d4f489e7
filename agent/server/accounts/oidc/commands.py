"""`ai-popup members provider`: signing in by an OpenID provider, on the team server that runs on this machine."""

import asyncio
import socket

import click

from agent.domain.errors import ServerPackagesMissing
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import print_results, tell
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession, of_server
from agent.server.accounts.commands import member_named


@click.group(cls=CommandGroup, help=TEXTS("cli.help.members_provider"))
def provider() -> None: ...


@provider.command("list", help=TEXTS("cli.help.members_provider_list"))
@json_option("json_each")
@click.pass_obj
def list_linked(session: CommandSession, as_json: bool) -> None:
    from agent.server.accounts.schemas import MembersOut

    linked = [each for each in of_server(session, session.server(), "/api/members", MembersOut).items if each.provider]
    print_results(linked, lambda each: each.name, session.texts("cli.members.provider.none"), as_json=as_json)


@provider.command(help=TEXTS("cli.help.members_provider_unlink"))
@click.argument("name")
@json_option()
@click.pass_obj
def unlink(session: CommandSession, name: str, as_json: bool) -> None:
    client = session.server()
    found = member_named(session, client, name)
    client.tell("DELETE", f"/api/members/{found.id}/provider")
    tell({"unlinked": found.id}, session.texts("cli.members.provider.unlinked", name=found.name), as_json=as_json)


@provider.command(help=TEXTS("cli.help.members_provider_secret"))
@json_option()
@click.pass_obj
def secret(session: CommandSession, as_json: bool) -> None:
    from agent.infrastructure.store.secret_stores import key_home
    from agent.server.accounts.oidc.configured import SECRET

    asked = ask(session.texts, session.texts("cli.members.provider.ask"))
    key_home(session.settings.library.key_home, session.paths.keys).write(SECRET, asked.strip().encode())
    tell({"kept": True}, session.texts("cli.members.provider.kept"), as_json=as_json)


@provider.command(help=TEXTS("cli.help.members_provider_check"))
@json_option("json_each")
@click.pass_obj
def check(session: CommandSession, as_json: bool) -> int:
    from agent.domain.errors import ProviderOff
    from agent.infrastructure.store.secret_stores import key_home
    from agent.interfaces.web.certificates import origins_of
    from agent.server.accounts.oidc.configured import client_secret

    try:
        from agent.server.accounts.oidc.configured import provider_of
        from agent.server.accounts.oidc.provider_check import BAD, findings
    except ModuleNotFoundError as error:
        raise ServerPackagesMissing from error

    settings, texts = session.settings, session.texts
    if not settings.oidc.on:
        raise ProviderOff
    home = key_home(settings.library.key_home, session.paths.keys)
    names = settings.server.names or (socket.gethostname().lower(),)
    origins = sorted(origins_of(names, settings.server.port or 8443))
    has_secret = client_secret(settings.oidc, home) is not None
    found = asyncio.run(findings(provider_of(settings.oidc, home), origins, has_secret))
    for each in found:
        said = texts(f"cli.members.provider.{each.key}", value=each.value)
        if each.error is not None:
            said = texts("cli.members.provider.because", text=said, cause=texts.cause(each.error))
        code = each.error.code if each.error else None
        facts = {"state": each.state, "what": each.key, "value": each.value, "code": code}
        tell(facts, f"{texts(f'cli.members.provider.states.{each.state}')}  {said}", as_json=as_json)
    return 1 if any(each.state == BAD for each in found) else 0
