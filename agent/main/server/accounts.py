"""Puts the accounts and libraries of a team server together: only the server imports this."""

from collections.abc import Callable, Iterable
from datetime import datetime

from agent.accounts.passwords import Passwords
from agent.accounts.provider.configured import ConfiguredProvider
from agent.accounts.provider.sign_in import ProviderSignIn
from agent.accounts.queries import AccountQueries
from agent.accounts.second_factor import SecondFactor
from agent.accounts.service import Accounts
from agent.accounts.sign_in_attempts import Attempts
from agent.core.heap import large_apart
from agent.core.server_settings import OidcSettings
from agent.libraries.queries import LibrariesQueries
from agent.libraries.service import Libraries
from agent.store.database import Database
from agent.store.key_homes import Home

_SECOND_FACTORS = b"second factors"
_PROVIDER = b"sign-in by a provider"


def accounts_of(database: Database, clock: Callable[[], datetime]) -> Accounts:
    """The accounts in this database. Call it inside the event loop."""
    large_apart()  # glibc would keep the 19 MB of each hash for the next one
    second_factor = SecondFactor(database.key_for(_SECOND_FACTORS))
    queries = AccountQueries(database)
    return Accounts(queries, Passwords(), second_factor, Attempts(queries, clock), clock)


def provider_of(
    database: Database, accounts: Accounts, settings: Callable[[], OidcSettings], home: Home, clock: Callable[[], datetime]
) -> ProviderSignIn:
    """Signing in by the OpenID provider of the settings in force; `home` keeps its client's secret."""
    queries, key = AccountQueries(database), database.key_for(_PROVIDER)
    provider = ConfiguredProvider(settings, home)
    return ProviderSignIn(queries, accounts.ceremonies, accounts.members, accounts.sessions, provider, key, clock)


def libraries_of(database: Database, watched: Callable[[], Iterable[str]], accounts: Accounts, clock: Callable[[], datetime]) -> Libraries:
    """The libraries in this database; a change ends what members' sessions go on with."""
    return Libraries(LibrariesQueries(database), watched, accounts.members.reload, clock)
