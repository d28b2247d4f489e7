"""Logout tokens (OpenID Connect Back-Channel Logout 1.0): whether one is the provider's word, just now, that a session ended."""

from dataclasses import dataclass
from typing import Any, Final

from agent.domain.errors import IdTokenInvalid, LogoutTokenInvalid
from agent.server.accounts.oidc import id_tokens
from agent.server.accounts.oidc.claims import LONGEST_SESSION

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_AGE_S: Final = 900
"""since it was issued, also if the token doesn't say when it ends"""
_LONGEST_SUBJECT: Final = 255
# A token that says what it is must be this. Many providers don't, or write `JWT`; `events` tells their tokens apart from all others.
_TYPES: Final = ("logout+jwt", "application/logout+jwt", "jwt")


@dataclass(frozen=True, slots=True)
class Logout:
    """What ended at the provider: all sessions of `subject`, or the one that `session` names. One of the two may be empty."""

    issuer: str
    subject: str
    session: str
    id: str
    accepted_s: int
    """so long the token may be shown, and is not forgotten"""


def checked(token: str, keys: tuple[id_tokens.Key, ...], issuer: str, client_id: str, now: float, skew_s: int) -> Logout:
    """What a token says that the provider signed, for this client, just now. Whether it was used before is not known here.

    Raises LogoutTokenInvalid.
    """
    try:
        decoded = id_tokens.verified(token, keys)
    except IdTokenInvalid as error:
        raise LogoutTokenInvalid(**error.params) from error
    claims, audience, kind = decoded.claims, decoded.claims.get("aud"), decoded.header.get("typ", "jwt")
    _must(isinstance(kind, str) and kind.lower() in _TYPES, "typ")
    _must(claims.get("iss") == issuer, "iss")
    _must(client_id in (audience if isinstance(audience, list) else [audience]), "aud")
    _must(id_tokens.is_number(claims.get("iat")) and now - LONGEST_AGE_S - skew_s <= claims["iat"] <= now + skew_s, "iat")
    _must("exp" not in claims or (id_tokens.is_number(claims["exp"]) and claims["exp"] > now - skew_s), "exp")
    events = claims.get("events")
    _must(isinstance(events, dict) and isinstance(events.get(EVENT), dict), "events")
    _must("nonce" not in claims, "nonce")  # an ID token
    subject, session = _text(claims, "sub", _LONGEST_SUBJECT), _text(claims, "sid", LONGEST_SESSION)
    _must(bool(subject or session), "sub")
    number = _text(claims, "jti", id_tokens.LONGEST_TOKEN)
    _must(bool(number), "jti")
    return Logout(issuer, subject, session, number, LONGEST_AGE_S + 2 * skew_s)


def _text(claims: dict[str, Any], name: str, longest: int) -> str:
    """Empty if there is none. Raises LogoutTokenInvalid."""
    found = claims.get(name, "")
    _must(isinstance(found, str) and len(found) <= longest, name)
    return str(found)


def _must(holds: bool, claim: str) -> None:
    """Raises LogoutTokenInvalid."""
    if not holds:
        raise LogoutTokenInvalid(claim=claim)
