"""Where a server can't listen, and what its administrator reads then."""

import socket
import sys

import pytest

from agent.domain.errors import SettingsInvalid
from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.interfaces.web.server import Network


def refused(network: Network, port: int) -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as error:
        network.bind(port)
    for language in LANGUAGES:
        told = Texts(language).cause(error.value)
        assert Texts(language)(f"settings.reason.{error.value.params['reason']}") in told and "_" not in told
    return error.value


def test_a_taken_port() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        error = refused(Network(setting="server.port"), other.getsockname()[1])
    assert error.params == {"key": "server.port", "reason": "port_taken"}


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_this_computers(host: str) -> None:
    assert refused(Network(host, "server.port"), 0).params == {"key": "server.host", "reason": "address"}


def test_a_port_that_the_user_may_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(socket.socket, "bind", deny)
    assert refused(Network(setting="server.port"), 443).params == {"key": "server.port", "reason": "port_refused"}


@pytest.mark.skipif(sys.platform == "win32" or not socket.has_ipv6, reason="IPv6")
def test_all_networks_include_both_versions() -> None:
    try:
        listener = Network("::").bind(0)
    except SettingsInvalid:
        pytest.skip("this machine has no IPv6")
    with listener:
        listener.listen()
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), 10).close()
