"""Puts the checks of a server's network together: for a command beside it, and for the server that runs."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent.app.health import Check
from agent.app.library_home import home_of_key, served_library
from agent.app.server.buckets import try_buckets
from agent.app.server.network_checks import NetworkContext, certificate_words, network_checks
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.server_database import database_url, versions_of
from agent.interfaces.web.certificates import AUTHORITY_FILE, CERTIFICATES_FOLDER, Certificates, check_files


def network_beside(paths: AppPaths, settings: Callable[[], Settings], texts: Callable[[], Texts]) -> dict[str, Check]:
    """The checks for a process beside the server, or in its place while it is stopped."""

    def buckets() -> int:
        now = settings()
        home = home_of_key(now, paths)
        if not LibraryKeys(paths.library, home).exist:
            return 0
        with served_library(now, paths) as database:
            return try_buckets(database, home, lambda: now)

    return {"certificate": partial(_of_files, settings, texts), **_network(paths, settings, texts, buckets)}


def network_of(
    paths: AppPaths, settings: Callable[[], Settings], texts: Callable[[], Texts], database: Database, certificates: Certificates
) -> dict[str, Check]:
    """The checks of the server that runs."""

    def buckets() -> int:
        return try_buckets(database, home_of_key(settings(), paths), settings)

    def certificate() -> str:
        return certificate_words(certificates.validity[1], utc_now(), settings().alerts.certificate_days, texts())

    return {"certificate": certificate, **_network(paths, settings, texts, buckets)}


def _network(paths: AppPaths, settings: Callable[[], Settings], texts: Callable[[], Texts], buckets: Callable[[], int]) -> dict[str, Check]:
    def trusted() -> tuple[Path, ...]:
        given = settings().server.certificate
        return (Path(given).expanduser() if given else paths.data / CERTIFICATES_FOLDER / AUTHORITY_FILE,)

    def database() -> int:
        versions = versions_of(database_url(settings(), paths.data))
        versions.check()
        return versions.server // 10_000

    return network_checks(NetworkContext(settings, texts, lambda now: home_of_key(now, paths), utc_now, trusted, buckets, database))


def _of_files(settings: Callable[[], Settings], texts: Callable[[], Texts]) -> str:
    """Until when the certificate of the settings is valid, also while the server is stopped.

    Raises SettingsError, CertificateUnusable, CertificateEnds.
    """
    now = settings()
    if not now.server.certificate or not now.server.private_key:
        return texts()("cli.doctor.certificate_own")
    certificate, key = Path(now.server.certificate).expanduser(), Path(now.server.private_key).expanduser()
    _, until = check_files(certificate, key, utc_now())
    return certificate_words(until, utc_now(), now.alerts.certificate_days, texts())
