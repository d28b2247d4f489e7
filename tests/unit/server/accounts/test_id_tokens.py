"""ID tokens are believed only if the provider signed them, for this client, for this sign-in, and just now."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from agent.domain.errors import IdTokenInvalid
from agent.server.accounts.oidc import id_tokens
from agent.server.accounts.oidc.id_tokens import WantedClaims, checked, keys_of, kid_of
from tests.support.openid_provider import new_key, unsigned

ISSUER, NOW = "https://id.example", 1_800_000_000
WANTED = WantedClaims(ISSUER, "photos", "n-1", NOW, 60)
RIGHT = {"iss": ISSUER, "aud": "photos", "sub": "u-1", "iat": NOW, "exp": NOW + 300, "nonce": "n-1"}


@cache
def key() -> RSAKey:
    return new_key("first")


@cache
def published() -> tuple[id_tokens.Key, ...]:
    return keys_of({"keys": [key().as_dict(private=False)]})


def token(signed_by: Any = None, alg: str = "RS256", header: dict[str, Any] | None = None, **claims: Any) -> str:
    said = {name: value for name, value in (RIGHT | claims).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": "first"} | (header or {}), said, signed_by or key(), algorithms=[alg])


def by_secret(secret: bytes) -> str:
    """Signed by HS256."""
    head = token(header={"alg": "RS256"}).split(".")[1]
    signed = f"{encoded(json.dumps({'alg': 'HS256', 'kid': 'first'}).encode())}.{head}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def signed(header: dict[str, Any]) -> str:
    """Signed by RS256 under any header."""
    said = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(RIGHT).encode())}"
    private = key().private_key
    assert private is not None
    signature = private.sign(said.encode(), PKCS1v15(), SHA256())
    return f"{said}.{encoded(signature)}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def refused(given: str, wanted: WantedClaims = WANTED, keys: tuple[id_tokens.Key, ...] | None = None) -> str:
    with pytest.raises(IdTokenInvalid) as error:
        checked(given, keys if keys is not None else published(), wanted)
    return str(error.value.params["claim"])


def test_a_good_token_is_believed() -> None:
    assert checked(token(), published(), WANTED)["sub"] == "u-1"
    assert checked(token(aud=["photos"]), published(), WANTED)["sub"] == "u-1"
    assert checked(token(aud=["photos", "other"], azp="photos"), published(), WANTED)["sub"] == "u-1"
    assert kid_of(token()) == "first"


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": f"{ISSUER}/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": {"photos": 1}}, "aud"),
        ({"aud": ["photos", "other"]}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"aud": ["photos", "other"], "azp": "other"}, "azp"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "u" * 256}, "sub"),
        ({"nonce": None}, "nonce"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": ["n-1"]}, "nonce"),
        ({"exp": None}, "exp"),
        ({"exp": "later"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": NOW - 61}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": NOW + 61}, "iat"),
        ({"iat": NOW - id_tokens.LONGEST_AGE_S - 61}, "iat"),
        ({"nbf": NOW + 61}, "nbf"),
        ({"amr": "mfa"}, "amr"),
        ({"at_hash": "wrong"}, "at_hash"),
    ],
)
def test_what_is_wrong_is_named(claims: dict[str, Any], claim: str) -> None:
    assert refused(token(**claims), replace(WANTED, access_token="a-1")) in (claim, "claims")


def test_clocks_may_differ_by_the_skew() -> None:
    assert checked(token(iat=NOW + 60), published(), WANTED)
    assert checked(token(iat=NOW - 400, exp=NOW - 59), published(), WANTED)


def test_only_private_keys_of_the_provider_sign() -> None:
    assert refused(unsigned(RIGHT)) == "signature"
    # The public key is known to everyone: as a secret it proves nothing.
    for secret in (key().as_pem(private=False), key().as_pem(private=False).strip()):
        assert refused(by_secret(secret)) == "signature"
    assert refused(token(new_key("first"))) == "signature"
    assert refused(token(header={"kid": "second"})) == "signature"
    assert refused(token(), keys=()) == "signature"
    assert refused("a.b.c") == "form"
    assert refused("x" * (id_tokens.LONGEST_TOKEN + 1)) == "size"
    head, body, signature = token().split(".")
    other = token(sub="u-2").split(".")[1]
    assert refused(f"{head}.{other}.{signature}") == "signature"
    assert body != other


def test_keys_that_a_token_brings_along_are_not_used() -> None:
    own = new_key("own")
    assert refused(token(own, header={"jku": "https://evil.example/keys"})) == "signature"
    head = {"alg": "RS256", "jwk": own.as_dict(private=False)}
    signed = f"{encoded(json.dumps(head).encode())}.{token().split('.')[1]}"
    assert refused(f"{signed}.{encoded(b'signature')}") == "signature"


def test_a_header_may_say_more_unless_it_is_critical() -> None:
    assert checked(signed({"alg": "RS256", "kid": "first", "pi.atm": "x"}), published(), WANTED)
    assert refused(signed({"alg": "RS256", "kid": "first", "pi.atm": "x", "crit": ["pi.atm"]})) == "signature"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_other_kinds_of_keys_sign_too() -> None:
    for made, alg in (
        (ECKey.generate_key("P-256"), "ES256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (RSAKey.generate_key(2048), "PS256"),
    ):
        keys = keys_of({"keys": [made.as_dict(private=False)]})
        assert checked(jwt.encode({"alg": alg}, RIGHT, made, algorithms=[alg]), keys, WANTED)["sub"] == "u-1"


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_keys_that_can_not_sign_are_left_out() -> None:
    small, usual = RSAKey.generate_key(1024), key().as_dict(private=False)
    odd = [{"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-0"}, usual | {"use": "enc"}, small.as_dict(private=False), 7, {}]
    assert keys_of({"keys": odd}) == ()
    assert len(keys_of({"keys": [*odd, usual]})) == 1
    assert len(keys_of({"keys": [usual] * 1_000})) == id_tokens.MOST_KEYS
    assert keys_of({"keys": "none"}) == ()


@pytest.fixture(scope="module", autouse=True)
def made() -> None:
    """Make the key before a test is timed."""
    published()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
@given(st.dictionaries(st.sampled_from([*RIGHT, "azp", "nbf", "amr", "acr", "at_hash", "auth_time"]), JSON, max_size=4))
def test_whatever_a_token_says_it_is_believed_or_refused(claims: dict[str, Any]) -> None:
    """A provider's oddest statement never ends in another failure, and what is believed names the right parties."""
    try:
        found = checked(token(**claims), published(), replace(WANTED, access_token="a-1"))
    except IdTokenInvalid:
        return
    assert found["iss"] == ISSUER and found["nonce"] == "n-1" and isinstance(found["sub"], str)
    assert "photos" in ([found["aud"]] if isinstance(found["aud"], str) else found["aud"])
    assert NOW - 960 <= found["iat"] <= NOW + 60 and found["exp"] > NOW - 61
