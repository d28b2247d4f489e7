"""Addresses of PostgreSQL: as the settings have them, as SQLAlchemy, and as libpq takes them.

Several hosts are the members of one cluster, of which one takes writes at a time: a new connection looks for that one.
"""

from typing import Any, Final
from urllib.parse import quote, urlsplit

from sqlalchemy import URL, make_url

DRIVER: Final = "postgresql+psycopg"
# A machine that is gone without a word is noticed within seconds, whether it is asked something or not.
ALIVE: Final[dict[str, Any]] = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
CONNECT_S: Final = 10
OF_SEVERAL_S: Final = 3  # then the next host is tried
_WRITES: Final = {"target_session_attrs": "read-write"}


def sqlalchemy_url(address: str) -> str:
    """Return the settings' address, `postgresql://user:password@host:port,host:port/database?…`, as SQLAlchemy takes it."""
    parts = urlsplit(address)
    before, mark, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return make_url(address).set(drivername=DRIVER).render_as_string(hide_password=False)
    named = "&".join(f"host={quote(each, safe=':')}" for each in hosts.split(","))
    query = "&".join(each for each in (named, parts.query) if each)
    url = make_url(f"{DRIVER}://{before}{mark}{parts.path}?{query}")
    return url.update_query_dict({**_WRITES, **url.query}).render_as_string(hide_password=False)


def libpq_address(url: str) -> str:
    """Return SQLAlchemy's URL of a database as libpq takes it."""
    from psycopg.conninfo import make_conninfo

    parsed = make_url(url).set(drivername=DRIVER)
    dialect: Any = parsed.get_dialect()()
    _, words = dialect.create_connect_args(parsed)
    return make_conninfo(**words)


def connecting(url: str) -> dict[str, Any]:
    """Return how a connection there is made, and kept alive."""
    return {**ALIVE, "connect_timeout": OF_SEVERAL_S if _several(make_url(url)) else CONNECT_S}


def _several(url: URL) -> bool:
    return isinstance(url.query.get("host"), tuple) or "," in (url.host or "")
