"""ID tokens: which keys a provider signs with, and whether a token is its statement about this sign-in."""

import json
import math
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]  # it carries no types
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from agent.domain.errors import IdTokenInvalid

Key: TypeAlias = RSAKey | ECKey | OKPKey

# Signed with the provider's private key. A secret that the client shares (HS256), or no signature at all, proves nothing.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
LEAST_RSA_BITS: Final = 2_048
# Header fields that we don't know are no reason to refuse a token (RFC 7515, 4.2), unless it calls them critical.
_REGISTRY: Final = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
MOST_KEYS: Final = 50
LONGEST_TOKEN: Final = 32_768
LONGEST_AGE_S: Final = 900
"""since it was issued: it comes in the answer to our own request"""


@dataclass(frozen=True, slots=True)
class WantedClaims:
    """What a token has to say."""

    issuer: str
    client_id: str
    nonce: str
    now: float
    skew_s: int
    access_token: str | None = None


def keys_of(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """The public keys in a JWKS document that can sign; those of other kinds are left out."""
    listed = document.get("keys")
    found = (_key(each) for each in (listed[:MOST_KEYS] if isinstance(listed, list) else ()))
    return tuple(each for each in found if each is not None)


def _key(each: object) -> Key | None:
    if not isinstance(each, dict) or each.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(each)
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= LEAST_RSA_BITS else None
    return key if isinstance(key, (ECKey, OKPKey)) else None


def kid_of(token: str) -> str | None:
    """Which key a token says it is signed by; that is not verified. Raises IdTokenInvalid."""
    try:
        head = token[:LONGEST_TOKEN].partition(".")[0]
        header = json.loads(urlsafe_b64decode(f"{head}=="))
    except (ValueError, RecursionError) as error:
        raise IdTokenInvalid(claim="form") from error
    found = header.get("kid") if isinstance(header, dict) else None
    return found if isinstance(found, str) else None


def checked(token: str, keys: tuple[Key, ...], wanted: WantedClaims) -> dict[str, Any]:
    """The claims of a token that the provider signed, for this client, for this sign-in, just now. Raises IdTokenInvalid."""
    decoded = verified(token, keys)
    claims, audience = decoded.claims, decoded.claims.get("aud")
    if claims.get("iss") != wanted.issuer:
        raise IdTokenInvalid(claim="iss")
    if wanted.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise IdTokenInvalid(claim="aud")
    if isinstance(audience, list) and len(audience) > 1 and "azp" not in claims:
        raise IdTokenInvalid(claim="azp")
    if not isinstance(claims.get("sub"), str) or not 1 <= len(claims["sub"]) <= 255:
        raise IdTokenInvalid(claim="sub")
    for name in ("iat", "exp"):
        if not is_number(claims.get(name)):
            raise IdTokenInvalid(claim=name)
    if not wanted.now - LONGEST_AGE_S - wanted.skew_s <= claims["iat"] <= wanted.now + wanted.skew_s:
        raise IdTokenInvalid(claim="iat", clock=1)
    expected = {"nonce": wanted.nonce, "client_id": wanted.client_id, "access_token": wanted.access_token}
    try:
        CodeIDToken(claims, decoded.header, {"nonce": {"essential": True}}, expected).validate(wanted.now, leeway=wanted.skew_s)
    except JoseError as error:
        expired = "expired" in error.error
        claim = getattr(error, "claim", None) or ("exp" if expired else "claims")
        raise IdTokenInvalid(claim=str(claim), **({"clock": 1} if expired else {})) from error
    except (TypeError, ValueError, AttributeError) as error:  # claims of unexpected kinds
        raise IdTokenInvalid(claim="claims") from error
    return claims


def verified(token: str, keys: tuple[Key, ...]) -> jwt.Token:
    """What one of the keys has signed; its claims are not looked at. Raises IdTokenInvalid."""
    if len(token) > LONGEST_TOKEN:
        raise IdTokenInvalid(claim="size")
    kid = kid_of(token)
    for key in keys:
        if kid is None or key.kid == kid:
            try:
                return jwt.decode(token, key, registry=_REGISTRY, decoder_cls=_Plain)
            except (JoseError, ValueError, RecursionError):
                continue
    raise IdTokenInvalid(claim="signature")


class _Plain(json.JSONDecoder):
    """JSON without NaN and Infinity, which no number can be compared with."""

    def __init__(self) -> None:
        super().__init__(parse_constant=_refuse)


def _refuse(name: str) -> float:
    raise ValueError(name)


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
