"""What WebAuthn asks of browsers, and whether their answers are valid."""

import json
from dataclasses import dataclass
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from agent.server.accounts.challenges import LASTS
from agent.server.accounts.records import Member, Passkey

# What today's authenticators make: nothing by SHA-1, and no RSA under PKCS #1 but SHA-256's, which Windows Hello needs.
ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
NAME: Final = "AI Popup"
_TIMEOUT_MS: Final = int(LASTS.total_seconds() * 1_000)


class Refused(Exception):
    """The answer is not valid. What was wrong with it is in the cause."""


@dataclass(frozen=True, slots=True)
class MadePasskey:
    """A new passkey's facts."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    synced: bool


@dataclass(frozen=True, slots=True)
class ShownPasskey:
    """An answer to a challenge, not verified yet: what it claims."""

    challenge: str
    credential_id: bytes
    member_id: str | None
    credential: dict[str, Any]


def request_options(host: str, challenge: str, *, verified: bool) -> dict[str, Any]:
    """For any passkey of that host, which the browser lets the user choose. `verified` asks for fingerprint, face or PIN."""
    wanted = UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED
    options = generate_authentication_options(
        rp_id=host, challenge=base64url_to_bytes(challenge), timeout=_TIMEOUT_MS, user_verification=wanted
    )
    return _plain(options_to_json(options))


def creation_options(host: str, challenge: str, member: Member, known: tuple[Passkey, ...]) -> dict[str, Any]:
    """For a new passkey that the authenticator keeps itself, in none that has one of the member's already."""
    options = generate_registration_options(
        rp_id=host,
        rp_name=NAME,
        user_name=member.name,
        user_id=bytes.fromhex(member.id),
        user_display_name=member.display_name,
        challenge=base64url_to_bytes(challenge),
        timeout=_TIMEOUT_MS,
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each.credential_id) for each in known if each.host == host],
        supported_pub_key_algs=ALGORITHMS,
    )
    return _plain(options_to_json(options))


def challenge_of(credential: dict[str, Any]) -> str:
    """The challenge that a new passkey answers. Raises Refused."""
    try:
        return _challenge(parse_registration_credential_json(credential).response.client_data_json)
    except Exception as error:  # of many kinds: it is whatever a stranger sent
        raise Refused from error


def shown(credential: dict[str, Any]) -> ShownPasskey:
    """What an answer claims. Raises Refused."""
    try:
        parsed = parse_authentication_credential_json(credential)
        handle = parsed.response.user_handle
        return ShownPasskey(_challenge(parsed.response.client_data_json), parsed.raw_id, handle.hex() if handle else None, credential)
    except Exception as error:
        raise Refused from error


def made(credential: dict[str, Any], challenge: str, host: str, origin: str) -> MadePasskey:
    """Raises Refused."""
    try:
        found = verify_registration_response(
            credential=credential,
            expected_challenge=base64url_to_bytes(challenge),
            expected_rp_id=host,
            expected_origin=origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:
        raise Refused from error
    synced = found.credential_device_type is CredentialDeviceType.MULTI_DEVICE
    return MadePasskey(found.credential_id, found.credential_public_key, found.sign_count, synced)


def count_after(answer: ShownPasskey, passkey: Passkey, host: str, origin: str, *, verified: bool) -> int:
    """The passkey's counter after a valid answer. One that did not grow is refused: two devices would then have one key.

    Raises Refused.
    """
    try:
        found = verify_authentication_response(
            credential=answer.credential,
            expected_challenge=base64url_to_bytes(answer.challenge),
            expected_rp_id=host,
            expected_origin=origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=verified,
        )
    except Exception as error:
        raise Refused from error
    if (found.credential_device_type is CredentialDeviceType.MULTI_DEVICE) is not passkey.synced:
        raise Refused  # whether it can leave its device never changes
    return found.new_sign_count


def _challenge(client_data: bytes) -> str:
    return bytes_to_base64url(parse_client_data_json(client_data).challenge)


def _plain(options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(options)
    return found
