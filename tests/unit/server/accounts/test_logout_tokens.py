"""A logout token ends sessions only if the provider signed it, for this client, just now, and it can be nothing else."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt

from agent.domain.errors import LogoutTokenInvalid
from agent.server.accounts.oidc.id_tokens import keys_of
from agent.server.accounts.oidc.logout import token_of
from agent.server.accounts.oidc.logout_tokens import EVENT, LONGEST_AGE_S, Logout, checked
from tests.support.openid_provider import EVENTS, new_key, unsigned

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

    from agent.server.accounts.oidc.id_tokens import Key

ISSUER, NOW, SKEW = "https://id.example", 1_800_000_000, 60
RIGHT = {"iss": ISSUER, "aud": "photos", "iat": NOW, "exp": NOW + 120, "jti": "j-1", "sub": "u-1", "events": EVENTS}
FORM = "application/x-www-form-urlencoded"


@cache
def key() -> RSAKey:
    return new_key("first")


@cache
def published() -> tuple[Key, ...]:
    return keys_of({"keys": [key().as_dict(private=False)]})


def token(header: dict[str, Any] | None = None, signed_by: RSAKey | None = None, **claims: Any) -> str:
    said = {name: value for name, value in (RIGHT | claims).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "first"} | (header or {}), said, signed_by or key())


def read(given: str) -> Logout:
    return checked(given, published(), ISSUER, "photos", NOW, SKEW)


def refused(given: str) -> str:
    with pytest.raises(LogoutTokenInvalid) as error:
        read(given)
    return str(error.value.params["claim"])


@pytest.fixture(scope="module", autouse=True)
def made() -> None:
    """Make the key before a test is timed."""
    published()


def test_a_good_token_says_what_ended() -> None:
    assert read(token()) == Logout(ISSUER, "u-1", "", "j-1", LONGEST_AGE_S + 2 * SKEW)
    assert (read(token(sub=None, sid="s-1")).subject, read(token(sub=None, sid="s-1")).session) == ("", "s-1")
    assert (read(token(sid="s-1")).subject, read(token(sid="s-1")).session) == ("u-1", "s-1")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["photos", "other"]},
        {"exp": None},
        {"exp": NOW - SKEW + 1},
        {"iat": NOW + SKEW},
        {"iat": NOW - LONGEST_AGE_S - SKEW},
        {"events": {EVENT: {}, "https://other.example": 1}},
    ],
)
def test_what_the_specification_allows_is_accepted(claims: dict[str, Any]) -> None:
    assert read(token(**claims)).subject == "u-1"


@pytest.mark.parametrize("kind", ["logout+jwt", "LOGOUT+JWT", "application/logout+jwt", "JWT"])
def test_a_token_may_say_that_it_is_one(kind: str) -> None:
    assert read(token({"typ": kind})).subject == "u-1"


@pytest.mark.parametrize(
    ("claims", "claim"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"iat": None}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"iat": True}, "iat"),
        ({"iat": NOW + SKEW + 1}, "iat"),
        ({"iat": NOW - LONGEST_AGE_S - SKEW - 1}, "iat"),
        ({"exp": NOW - SKEW}, "exp"),
        ({"exp": "later"}, "exp"),
        ({"events": None}, "events"),
        ({"events": [EVENT]}, "events"),
        ({"events": {}}, "events"),
        ({"events": {EVENT: True}}, "events"),
        ({"events": {"https://schemas.openid.net/event/other": {}}}, "events"),
        ({"nonce": "n-1"}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "u" * 256}, "sub"),
        ({"sid": ["s-1"]}, "sid"),
        ({"sid": "s" * 1_001}, "sid"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
    ],
)
def test_what_is_wrong_is_named(claims: dict[str, Any], claim: str) -> None:
    assert refused(token(**claims)) == claim


@pytest.mark.parametrize("kind", ["at+jwt", "secevent+jwt", ""])
def test_a_token_that_says_it_is_another_is_refused(kind: str) -> None:
    assert refused(token({"typ": kind})) == "typ"


def test_only_the_provider_signs() -> None:
    assert refused(unsigned(RIGHT)) == "signature"
    assert refused(token(signed_by=new_key("first"))) == "signature"
    assert refused(token({"kid": "second"})) == "signature"
    assert refused("a.b.c") == "form"
    assert refused("") == "form"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (FORM, b""),
        (FORM, b"logout_token="),
        (FORM, b"other=a"),
        (FORM, b"logout_token=a&logout_token=b"),
        (FORM, b"logout_token"),
        (FORM, "logout_token=ä".encode()),
        (FORM, b"&".join([b"logout_token=a"] + [b"b=c"] * 20)),
        ("application/json", b"logout_token=a"),
        ("", b"logout_token=a"),
    ],
)
def test_a_form_that_holds_no_token_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(LogoutTokenInvalid) as error:
        token_of(kind, body)
    assert error.value.params == {"claim": "form"}


def test_a_form_may_hold_more() -> None:
    assert token_of(f"{FORM}; charset=utf-8", b"state=x&logout_token=a.b.c") == "a.b.c"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just(EVENT), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a busy machine
@given(st.dictionaries(st.sampled_from([*RIGHT, "sid", "nonce"]), JSON, max_size=4))
def test_whatever_a_token_says_it_is_believed_or_refused(claims: dict[str, Any]) -> None:
    try:
        found = read(token(**claims))
    except LogoutTokenInvalid:
        return
    assert found.issuer == ISSUER and found.id and (found.subject or found.session)
