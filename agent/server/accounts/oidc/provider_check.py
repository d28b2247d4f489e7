"""Asks the provider all that a sign-in needs, short of a person, and says what is in the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.domain.errors import AgentError, ProviderRefused
from agent.server.accounts.oidc.auth_request import LOGOUT, REDIRECT, Request
from agent.server.accounts.oidc.provider import Metadata, Provider

OK, NOTE, BAD = "ok", "note", "bad"
# What a provider answers to a made-up code from a client that it knows.
_KNOWN_CLIENT: Final = ("invalid_grant", "invalid_request")


@dataclass(frozen=True, slots=True)
class ProviderFinding:
    """`key` names a text; `error` is what was in the way."""

    state: str
    key: str
    value: str = ""
    error: AgentError | None = None


async def findings(provider: Provider, origins: Sequence[str], secret: bool) -> list[ProviderFinding]:
    """`origins` are the server's addresses, `secret` is whether the client has one."""
    settings = provider.settings
    found = [*(ProviderFinding(NOTE, "redirect", f"{each}{REDIRECT}") for each in origins)]
    try:
        known = await provider.metadata()
        found.append(ProviderFinding(OK, "discovery", settings.issuer))
        keys = await provider.keys()
        found.append(ProviderFinding(OK, "keys", str(len(keys))))
    except AgentError as error:
        return [*found, ProviderFinding(BAD, "discovery", settings.issuer, error)]
    found.append(await _client(provider, origins[0] if origins else "https://localhost"))
    found += [*_clocks(provider), *_notes(known, secret)]
    found += [ProviderFinding(NOTE, "sign_out", f"{each}/") for each in origins if known.end_session]
    if known.says_logout:
        found += [ProviderFinding(NOTE, "logout", f"{each}{LOGOUT}") for each in origins[:1]]
    if settings.create_members and not (settings.create_domains or settings.allowed_groups):
        found.append(ProviderFinding(NOTE, "everyone"))
    return found


async def _client(provider: Provider, origin: str) -> ProviderFinding:
    """Whether the provider knows the client and its secret: it looks at them before the code, which is made up."""
    try:
        await provider.exchanged("check", Request.of(b"check", "check", origin))
    except ProviderRefused as error:
        said = str(error.params["error"])
        return ProviderFinding(OK, "client") if said in _KNOWN_CLIENT else ProviderFinding(BAD, "client", said, error)
    except AgentError as error:
        return ProviderFinding(BAD, "client", error=error)
    return ProviderFinding(OK, "client")


def _clocks(provider: Provider) -> list[ProviderFinding]:
    """What the provider states holds for minutes only, by its clock."""
    ahead_s = provider.clock_ahead_s
    if ahead_s is None:
        return []
    apart = abs(round(ahead_s))
    return [ProviderFinding(OK if apart <= provider.settings.clock_skew_s else BAD, "clock", str(apart))]


def _notes(known: Metadata, secret: bool) -> list[ProviderFinding]:
    found = [] if secret else [ProviderFinding(NOTE, "no_secret")]
    if known.pkce is None:
        found.append(ProviderFinding(NOTE, "pkce_unsaid"))
    else:
        found.append(ProviderFinding(OK, "pkce") if known.pkce else ProviderFinding(BAD, "no_pkce"))
    return found
