"""Addresses of a cluster of databases, as each library takes them."""

import pytest
from psycopg.conninfo import conninfo_to_dict

from agent.infrastructure.store.addresses import CONNECT_S, OF_SEVERAL_S, connecting, libpq_address, sqlalchemy_url


def test_of_several_hosts_the_one_that_takes_writes_is_connected_to() -> None:
    url = sqlalchemy_url("postgresql://app:p%40ss@one:5432,two:6432/photos")
    assert conninfo_to_dict(libpq_address(url)) == {
        "host": "one,two",
        "port": "5432,6432",
        "user": "app",
        "password": "p@ss",
        "dbname": "photos",
        "target_session_attrs": "read-write",
    }
    assert connecting(url)["connect_timeout"] == OF_SEVERAL_S


def test_what_the_settings_say_of_it_counts() -> None:
    url = sqlalchemy_url("postgres://one,two/photos?target_session_attrs=primary&sslmode=require")
    found = conninfo_to_dict(libpq_address(url))
    assert (found["host"], found["target_session_attrs"], found["sslmode"]) == ("one,two", "primary", "require")


@pytest.mark.parametrize("address", ["postgresql://app:x@one:5432/photos", "postgresql://app:x@/photos?host=/run/postgresql"])
def test_one_host_stays_as_it_is(address: str) -> None:
    found = conninfo_to_dict(libpq_address(sqlalchemy_url(address)))
    assert found["dbname"] == "photos" and found["user"] == "app" and "target_session_attrs" not in found
    assert connecting(sqlalchemy_url(address))["connect_timeout"] == CONNECT_S
