"""What a provider's claims mean: groups, roles, names, domains and second factors."""

from __future__ import annotations

from typing import Any

import pytest

from agent.domain.errors import IdTokenInvalid
from agent.infrastructure.core.server_settings import OidcSettings
from agent.interfaces.web.access import Role
from agent.server.accounts.oidc.claims import LONGEST_LABEL, Statement


def said(settings: dict[str, Any] | None = None, **claims: Any) -> Statement:
    made = OidcSettings(issuer="https://id.example", client_id="photos", **(settings or {}))
    return Statement(made, {"iss": "https://id.example", "sub": "u-1"} | claims)


def test_the_first_group_that_fits_gives_the_role() -> None:
    roles = {"roles": ("chiefs=administrator", "desk=x=curator", "desk=editor")}
    assert said(roles, groups=["desk", "chiefs"]).role is Role.ADMINISTRATOR
    assert said(roles, groups=["desk=x"]).role is Role.CURATOR
    assert said(roles, groups=["desk"]).role is Role.EDITOR
    assert said(roles, groups=["Desk"]).role is None
    assert said(roles, groups="desk").role is None
    assert said(roles, groups=[["desk"], 7]).role is None
    assert said(roles).first_role is Role.VIEWER
    assert said(roles | {"default_role": "auditor"}).first_role is Role.AUDITOR


def test_groups_may_be_needed_to_sign_in() -> None:
    assert said().may_enter
    wanted = {"allowed_groups": ("desk",), "groups_claim": "memberOf"}
    assert said(wanted, memberOf=["desk"]).may_enter
    assert not said(wanted, groups=["desk"]).may_enter


@pytest.mark.parametrize(
    ("claims", "may"),
    [
        ({"email": "a@School.example", "email_verified": True}, True),
        ({"email": "a@school.example"}, False),
        ({"email": "a@school.example", "email_verified": "true"}, False),
        ({"email": "a@evil.example", "email_verified": True}, False),
        ({"email": "a@school.example@evil.example", "email_verified": True}, False),
        ({"email": "school.example", "email_verified": True}, False),
        ({"email": ["a@school.example"], "email_verified": True}, False),
        ({}, False),
    ],
)
def test_only_a_verified_address_of_a_domain_joins(claims: dict[str, Any], may: bool) -> None:
    assert said({"create_members": True, "create_domains": ("school.example",)}, **claims).may_join is may
    assert said({"create_members": True}, **claims).may_join
    assert not said({"create_domains": ("school.example",)}, **claims).may_join


@pytest.mark.parametrize(
    ("claims", "two"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "mfa"}, True),
        ({"amr": ["pwd", "otp"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": [["mfa"], {}]}, False),
        ({"acr": {"mfa": 1}}, False),
        ({}, False),
    ],
)
def test_a_second_factor_is_believed_by_the_agreed_values(claims: dict[str, Any], two: bool) -> None:
    assert said(**claims).by_two_factors is two
    assert not said({"second_factor_values": ()}, **claims).by_two_factors


def test_names_are_tidied() -> None:
    assert said(preferred_username="  Grace Ä ").name() == "grace ä"
    assert said(preferred_username="grace\n\x00hopper").name() == "gracehopper"
    assert said(preferred_username="g" * 500).name() == "g" * 64
    for wrong in (None, "", 7, "\x00", ["grace"]):
        with pytest.raises(IdTokenInvalid):
            said(preferred_username=wrong).name()
    assert said(preferred_username="grace", name="Grace H.").display_name() == "Grace H."
    assert said(preferred_username="grace", name="\n").display_name() == "grace"


def test_the_label_is_what_the_user_knows_the_account_by() -> None:
    assert said(preferred_username="grace", email="g@school.example").label == "grace"
    assert said(email="g@school.example").label == "g@school.example"
    assert said().label == "u-1"
    assert len(said(preferred_username="g" * 500).label) == LONGEST_LABEL
