"""A manifest is believed when its makers signed exactly this text, and not otherwise."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from agent.domain.errors import UpdateNotUnderstood, UpdateUntrusted
from agent.features.updates.manifest import FileEntry, Manifest, opened
from scripts.update_manifest import manifest_of, public_key, signed

KEY = bytes(range(32))
PUBLIC = public_key(KEY)
NOW = datetime(2026, 1, 10, tzinfo=UTC)
FILE = {"kind": "deb", "platform": "linux-x86_64", "address": "https://example.org/d/a_0.2.0.deb", "size": 9, "sha256": "0" * 64}


def manifest() -> Manifest:
    news = {"en": "Small things", "zh-CN": "一些小改进"}
    return manifest_of("0.2.0", "stable", [FileEntry.model_validate(FILE)], news, published=NOW, expires=NOW + timedelta(days=9))


ENVELOPE = signed(manifest(), KEY)


def resealed(text: str, key: bytes = KEY) -> bytes:
    """Signed as it stands, whatever it is."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signature = Ed25519PrivateKey.from_private_bytes(key).sign(b"ai-popup update manifest 1\n" + text.encode())
    return json.dumps({"manifest": text, "signature": base64.b64encode(signature).decode()}).encode()


def test_what_was_signed_comes_back() -> None:
    release = opened(ENVELOPE, PUBLIC)
    assert (release.version, release.channel, release.published) == ("0.2.0", "stable", NOW)
    assert release.news["zh-CN"] == "一些小改进"
    found = release.file_for("deb", "linux-x86_64")
    assert found is not None and (found.size, found.name) == (9, "a_0.2.0.deb")


def test_any_changed_byte_of_the_text_or_signature_is_noticed() -> None:
    parts = json.loads(ENVELOPE)
    assert opened(json.dumps(parts).encode(), PUBLIC).version
    for place in range(0, len(parts["manifest"]), 7):
        text = parts["manifest"]
        other = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        with pytest.raises(UpdateUntrusted):
            opened(json.dumps({**parts, "manifest": other}).encode(), PUBLIC)


def test_a_truncated_envelope_is_not_believed_wherever_it_ends() -> None:
    for end in range(len(ENVELOPE.rstrip()) - 1):
        with pytest.raises(UpdateUntrusted):
            opened(ENVELOPE[:end], PUBLIC)


def test_another_keys_signature_is_not_believed() -> None:
    with pytest.raises(UpdateUntrusted):
        opened(signed(manifest(), bytes(32)), PUBLIC)


@pytest.mark.parametrize("envelope", [b"[]", b"{}", b"1", b'{"manifest": 1, "signature": 2}', b"[" * 100_000, b"\xff", b"<html>"])
def test_what_is_no_envelope_is_not_believed(envelope: bytes) -> None:
    with pytest.raises(UpdateUntrusted):
        opened(envelope, PUBLIC)


def test_a_signature_for_another_purpose_is_none_for_a_manifest() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text = manifest().model_dump_json()
    bare = base64.b64encode(Ed25519PrivateKey.from_private_bytes(KEY).sign(text.encode())).decode()
    with pytest.raises(UpdateUntrusted):
        opened(json.dumps({"manifest": text, "signature": bare}).encode(), PUBLIC)


def test_a_later_form_is_said_to_be_one_and_more_words_are_let_be() -> None:
    whole = json.loads(manifest().model_dump_json())
    with pytest.raises(UpdateNotUnderstood):
        opened(resealed(json.dumps({**whole, "format": 2})), PUBLIC)
    with pytest.raises(UpdateNotUnderstood):
        opened(resealed("no json"), PUBLIC)
    assert opened(resealed(json.dumps({**whole, "more": 1})), PUBLIC).version == "0.2.0"


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/a b.deb",
        "https://example.org/$(x).deb",
        "https://example.org/a.deb;x",
        "https://example.org/..",
        "https://example.org/.a",
        "https://example.org/",
        "ftp://example.org/a.deb",
        "https://example.org/a.deb\n",
        "https://user:word@example.org/a.deb",
    ],
)
def test_an_address_that_could_be_more_than_one_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        FileEntry.model_validate({**FILE, "address": address})
