"""The OpenID provider that the settings name, with its secret. Its packages are loaded only if there is one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.domain.errors import ProviderInvalid
from agent.infrastructure.core.server_settings import OidcSettings
from agent.infrastructure.store.secret_stores import Home

if TYPE_CHECKING:
    from agent.server.accounts.oidc.provider import Provider

SECRET: Final = "oidc-client"
"""the account under which the client's secret is kept beside the library's key"""
_LONGEST_SECRET: Final = 10_000


class ConfiguredProvider:
    """Call it for the provider of the settings in force. A change of the settings drops what was kept of the one before."""

    def __init__(self, settings: Callable[[], OidcSettings], home: Home) -> None:
        self._settings = settings
        self._home = home
        self._made: Provider | None = None

    def __call__(self) -> "Provider | None":
        wanted = self._settings()
        if not wanted.on:
            return None
        if self._made is None or self._made.settings != wanted:
            self._made = provider_of(wanted, self._home)
        return self._made


def provider_of(settings: OidcSettings, home: Home) -> "Provider":
    from agent.server.accounts.oidc.http_client import Fetching
    from agent.server.accounts.oidc.provider import Provider

    return Provider(settings, lambda: client_secret(settings, home), Fetching(settings))


def client_secret(settings: OidcSettings, home: Home) -> str | None:
    """Of the file that the settings name, or what the command kept. Blocks. Raises ProviderInvalid, KeyHomeError."""
    if not settings.secret_path:
        kept = home.read(SECRET)
        return kept.decode() if kept else None
    try:
        with Path(settings.secret_path).open(encoding="utf-8") as file:
            found = file.read(_LONGEST_SECRET).strip()
    except (OSError, ValueError) as error:
        raise ProviderInvalid(what="oidc.secret_path") from error
    if not found:
        raise ProviderInvalid(what="oidc.secret_path")
    return found
