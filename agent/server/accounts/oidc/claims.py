"""What a provider's claims mean here: groups, roles, a name, and whether it asked for a second factor."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.domain.errors import IdTokenInvalid, MemberNameInvalid
from agent.domain.names import tidy
from agent.infrastructure.core.server_settings import OidcSettings
from agent.interfaces.web.access import Role
from agent.server.accounts.sign_in_names import LONGEST_DISPLAY_NAME, LONGEST_NAME, folded, shown

LONGEST_LABEL: Final = 200
LONGEST_SESSION: Final = 1_000


@dataclass(frozen=True, slots=True)
class Statement:
    """`claims` were checked."""

    settings: OidcSettings
    claims: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        return str(self.claims["iss"])

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])

    @property
    def session(self) -> str:
        """The provider's own session; empty if it names none."""
        found = self.claims.get("sid")
        return found if isinstance(found, str) and len(found) <= LONGEST_SESSION else ""

    @property
    def label(self) -> str:
        """What the user knows the account by."""
        texts = (_text(self.claims.get(name)) for name in (self.settings.name_claim, "email", "name"))
        return next((each for each in texts if each), self.subject)[:LONGEST_LABEL]

    @property
    def groups(self) -> frozenset[str]:
        found = self.claims.get(self.settings.groups_claim)
        return frozenset(each for each in found if isinstance(each, str)) if isinstance(found, list) else frozenset()

    @property
    def may_enter(self) -> bool:
        """Whether the account is in one of the groups that sign in here."""
        return not self.settings.allowed_groups or bool(self.groups & set(self.settings.allowed_groups))

    @property
    def may_join(self) -> bool:
        """Whether an account that no member has linked may become a member."""
        domains = {each.casefold() for each in self.settings.create_domains}
        return self.settings.create_members and (not domains or self._domain in domains)

    @property
    def role(self) -> Role | None:
        """The role of the first group in the settings that the account is in."""
        pairs = (each.rpartition("=") for each in self.settings.roles)
        return next((Role(role) for group, _, role in pairs if group in self.groups), None)

    @property
    def first_role(self) -> Role:
        return self.role or Role(self.settings.default_role)

    @property
    def by_two_factors(self) -> bool:
        """Whether the provider says, by one of the agreed values, that it asked for a second factor."""
        methods = self.claims.get("amr")
        said = [*(methods if isinstance(methods, list) else ()), self.claims.get("acr")]
        return any(each in self.settings.second_factor_values for each in said if isinstance(each, str))

    def name(self) -> str:
        """What a new member signs in as. Raises IdTokenInvalid."""
        try:
            return folded(_text(self.claims.get(self.settings.name_claim))[:LONGEST_NAME])
        except MemberNameInvalid as error:
            raise IdTokenInvalid(claim=self.settings.name_claim) from error

    def display_name(self) -> str:
        """What others see of a new member."""
        try:
            name = self.claims.get("name")
            return shown(tidy(name)[:LONGEST_DISPLAY_NAME] if isinstance(name, str) else "")
        except MemberNameInvalid:
            return self.name()

    @property
    def _domain(self) -> str:
        """Of the e-mail address, if the provider verified it."""
        address = _text(self.claims.get("email"))
        return address.rpartition("@")[2].casefold() if self.claims.get("email_verified") is True and "@" in address else ""


def _text(value: object) -> str:
    """Text without control characters; empty for anything else."""
    if not isinstance(value, str):
        return ""
    return "".join(each for each in tidy(value[:1_000]) if each.isprintable())
