"""Failures of members' accounts on a team server."""

from agent.domain.errors.error_tree import AgentError
from agent.domain.errors.lifecycle_errors import ApiError


class SignInRequired(ApiError):
    """A server's page is not signed in, or no longer."""

    code = "account.sign_in_required"


class Forbidden(ApiError):
    """The role, or the token, does not allow it. Parameter: the route's `scope`."""

    code = "access.forbidden"


class TooManyRequests(ApiError):
    """A member asks for more in a minute than people do. Parameter: `seconds` until the next request."""

    code = "access.too_many_requests"


class AccountError(AgentError):
    """An account can't be used, made or changed that way."""


class WrongSignIn(AccountError):
    """Name, password or code is wrong, or the member is locked; which of them is never said."""

    code = "account.wrong_sign_in"


class SecondFactorRequired(AccountError):
    """The password is right, and the second factor is missing. Parameters: whether a `code` and a `passkey` would do, as 1 or 0."""

    code = "account.second_factor_required"


class TooManyAttempts(AccountError):
    """Parameter: `seconds` until the next attempt."""

    code = "account.too_many_attempts"


class InvitationGone(AccountError):
    """Used, replaced, expired, or never made."""

    code = "account.invitation_gone"


class PasswordShort(AccountError):
    """Parameter: `least` characters."""

    code = "account.password_short"


class PasswordCommon(AccountError):
    code = "account.password_common"


class PasswordHoldsName(AccountError):
    code = "account.password_holds_name"


class OldPasswordWrong(AccountError):
    code = "account.old_password_wrong"


class CodeWrong(AccountError):
    """The code that is to confirm a second factor."""

    code = "account.code_wrong"


class SecondFactorOn(AccountError):
    code = "account.second_factor_on"


class PasskeyWrong(AccountError):
    """The passkey is unknown, belongs to another member, or its answer is not valid; or its member is locked."""

    code = "account.passkey_wrong"


class PasskeyUnusable(AccountError):
    """What the browser made can't be registered."""

    code = "account.passkey_unusable"


class PasskeysNeedName(AccountError):
    """Passkeys belong to a domain name, and the page was opened by an address."""

    code = "account.passkeys_need_name"


class PasskeysTooMany(AccountError):
    """Parameter: `most` of one member."""

    code = "account.passkeys_too_many"


class CeremonyGone(AccountError):
    """A challenge or state was used, took too long, or was made for something else."""

    code = "account.ceremony_gone"


class SignInAgain(AccountError):
    """A change of how one signs in, by a session that was opened a while ago."""

    code = "account.sign_in_again"


class LastWayIn(AccountError):
    """A member would have no way to sign in left."""

    code = "account.last_way_in"


class ProviderOff(AccountError):
    """No OpenID provider is set up."""

    code = "account.provider_off"


class ProviderUnreachable(AccountError):
    """The provider does not answer, or not in time."""

    code = "account.provider_unreachable"


class ProviderInvalid(AccountError):
    """The provider's answer can't be used. Parameter: `what` of it."""

    code = "account.provider_invalid"


class ProviderRefused(AccountError):
    """The user cancelled, or the provider refused. Parameters: the provider's `error`, such as `access_denied`, and `client` if it is this
    server that it refused.
    """

    code = "account.provider_refused"


class IdTokenInvalid(AccountError):
    """The provider's ID token failed a check. Parameters: the `claim` concerned, or `signature`; `clock` if it is about the time."""

    code = "account.id_token_invalid"


class LogoutTokenInvalid(AccountError):
    """A logout token failed a check. Parameter: the `claim` concerned, or `signature`."""

    code = "account.logout_token_invalid"


class NotAMember(AccountError):
    """The account at the provider belongs to no member, or to a locked one; which of them is never said."""

    code = "account.not_a_member"


class NotAllowedHere(AccountError):
    """The account at the provider is in none of the groups or domains that may sign in."""

    code = "account.not_allowed_here"


class IdentityTaken(AccountError):
    """Another member signs in by that account at the provider."""

    code = "account.identity_taken"


class MemberNameInvalid(AccountError):
    code = "account.name_invalid"


class MemberNameTaken(AccountError):
    code = "account.name_taken"


class LastAdministrator(AccountError):
    code = "account.last_administrator"


class LibraryError(AgentError):
    """A library of a team server can't be made or changed that way."""


class LibraryNameTaken(LibraryError):
    code = "libraries.name_taken"


class LibraryNameInvalid(LibraryError):
    code = "libraries.name_invalid"


class PersonElsewhere(LibraryError):
    """The person is also on photos of libraries that the request doesn't reach, so it can't change them for all."""

    code = "libraries.person_elsewhere"
