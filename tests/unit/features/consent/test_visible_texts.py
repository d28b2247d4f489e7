"""Who gave a consent, and where its paper lies, are texts that decide something: nothing in them is unseen or turns what follows."""

from datetime import date

from agent.features.consent.roster import read
from agent.features.consent.schemas import ConsentGiven, WithdrawRequest

TODAY = date(2026, 12, 3)
SENT, SEEN = "Li\u202e\u200b\t Wei\x07", "Li Wei"


def test_of_a_class_list_what_is_seen_is_kept() -> None:
    content = f"name,birth_date,purposes,guardian,document\nMei,2016-03-01,recognise,{SENT},A\u2066{SENT}\n".encode()
    [person], wrong = read(content, TODAY, None)
    assert (person.guardian, person.document, wrong) == (SEEN, f"A{SEEN}", [])


def test_a_guardian_who_is_not_seen_is_none() -> None:
    content = "name,birth_date,purposes,basis,guardian\nMei,2016-03-01,recognise,guardian,\u3164\u200b\n".encode()
    _, [row] = read(content, TODAY, None)
    assert row.params["column"] == "guardian"


def test_of_a_request_what_is_seen_is_kept() -> None:
    given = ConsentGiven.model_validate({"purposes": ["recognise"], "guardian": SENT, "document": SENT})
    withdrawn = WithdrawRequest.model_validate({"guardian": SENT, "document": SENT})
    assert {given.guardian, given.document, withdrawn.guardian, withdrawn.document} == {SEEN}
