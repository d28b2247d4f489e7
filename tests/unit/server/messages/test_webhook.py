"""Where a webhook may lead, and how its messages are signed."""

import hashlib
import hmac
import json
import ssl

import pytest

from agent.domain.errors import WebhookFailed, WebhookInside
from agent.interfaces.web.client_address import is_outside
from agent.server.messages.webhook import Webhook, signature


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.9.1", "::1", "10.1.2.3", "192.168.1.9", "172.16.0.1", "169.254.169.254", "fd00:ec2::254", "fe80::1%eth0"),
        *(
            "0.0.0.0",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "2002:7f00:1::",
            "64:ff9b::a9fe:a9fe",
            "100.64.0.1",
            "224.0.0.1",
            "ff0e::1",
            "255.255.255.255",
            "198.18.0.1",
            "64:ff9b:1::a00:1",
            "::10.0.0.1",
            "fec0::1",
            "168.63.129.16",
        ),
    ],
)
def test_addresses_inside_are_known(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"])
def test_addresses_outside_are_known(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize("found", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]])
def test_a_name_that_leads_inside_is_refused_before_a_connection(found: list[str]) -> None:
    webhook = Webhook(ssl.create_default_context(), lambda host, port: found)
    with pytest.raises(WebhookInside):
        webhook.send("https://hooks.example/x", b"key", {}, 0.0, inside=False)


@pytest.mark.parametrize("url", ["https://hooks.example:99999/", "https://[::1", "https:///x"])
def test_an_address_that_is_none_is_a_failure(url: str) -> None:
    with pytest.raises(WebhookFailed):
        Webhook(ssl.create_default_context(), lambda host, port: []).send(url, b"key", {}, 0.0, inside=False)


def test_the_signature_covers_time_and_body() -> None:
    body = json.dumps({"id": "x"}).encode()
    at, mac = signature(b"key", body, 1_700_000_000).split(",")
    assert at == "t=1700000000"
    assert mac == "v1=" + hmac.new(b"key", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert signature(b"key", body, 1_700_000_001) != f"{at},{mac}"
