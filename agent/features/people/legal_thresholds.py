"""Legal duties that depend on the number of stored faces."""

from datetime import date
from typing import Final

FILING_PEOPLE: Final = 100_000
FILING_WORKING_DAYS: Final = 30
CHILD_BELOW: Final = 14  # years: a guardian consents for them, according to the same Measures (Article 10) and China's PIPL (Article 31)


def filing_due(people: int) -> bool:
    """Return whether storing the face prints of so many different people, named or not, must be filed in China.

    Source: Measures for the Security Management of the Application of Facial Recognition Technology (人脸识别技术应用安全管理办法, order 19
    of the Cyberspace Administration and the Ministry of Public Security), Article 15, in force since 1 June 2025: file with the
    provincial cyberspace administration within 30 working days of the day on which the faces of 100,000 people are stored. Checked on
    2026-11-25. No legal advice.
    """
    return people >= FILING_PEOPLE


def is_child(born: date, today: date) -> bool:
    """Return whether a person is so young that a guardian must consent for them."""
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (not had_birthday) < CHILD_BELOW
