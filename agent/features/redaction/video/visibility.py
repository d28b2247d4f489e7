"""Decides where faces of a video may stay visible, from the votes along their tracks; see docs/decisions/0020."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.identity_matching import MIN_TRUST, Certainty, Identity, assign_unique, trust
from agent.domain.redaction import Look, PeopleChoice, Reason
from agent.domain.video import Covered, FrameDetections, Trajectory, VideoDetection, VideoTrack, Vote

# Seconds: a face is visible between two votes for it that are at most this far apart.
LASTS_S: Final = 1.0
# A track is covered whole if more of its votes are against it than this share, or this many in a row: it then has two people.
AGAINST, IN_A_ROW = 0.25, 2


class Why(StrEnum):
    """Why a track is covered or visible."""

    EVERYONE = "everyone"  # covered: no one was named
    AGREED = "agreed"  # visible: the votes agree
    PARTLY = "partly"  # visible where they agree, covered where nothing is certain, or another face is near
    UNSURE = "unsure"  # covered: too few votes are certain
    AGAINST = "against"  # covered: the votes are against it
    DISAGREE = "disagree"  # covered: the votes disagree


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about a track. Moments as in the video."""

    why: Why
    start: int
    end: int
    covered: tuple[Covered, ...]  # its covered intervals
    show: int = 0  # votes that would leave it visible
    hide: int = 0  # votes against that
    visible: tuple[tuple[int, int], ...] = ()  # first and last moments of the intervals that are not covered


def everyone(way: Trajectory, look: Look) -> Verdict:
    return Verdict(Why.EVERYONE, way.knots[0].moment, way.knots[-1].moment, (Covered(way, look),))


def prints_of(sights: Sequence[FrameDetections]) -> list[UnsavedEmbedding]:
    """Return all embeddings, in order."""
    return [find.print for sight in sights for find in sight.finds if find.print is not None]


def told(sights: Sequence[FrameDetections], who: Sequence[Identity | None], choice: PeopleChoice) -> tuple[FrameDetections, ...]:
    """Return the detections with votes instead of embeddings. `who` is the identity of each of `prints_of`."""
    left = iter(who)
    return tuple(replace(sight, finds=tuple(_told(sight.finds, left, choice))) for sight in sights)


def judged(trail: VideoTrack, choice: PeopleChoice, look: Look, tick: float, *, singly: bool = False) -> Verdict:
    """Return whether the face of the track is visible, and where; `tick` in seconds. In doubt it is covered.

    With `singly` one vote is enough for its own frame, because pages are independent.
    """
    way, start, end = trail.way, trail.way.knots[0].moment, trail.way.knots[-1].moment
    words = [find.word for _, find in trail.finds if find.word is not None]
    show, hide = words.count(Vote.SHOW), words.count(Vote.HIDE)
    visible = [] if _two_people(words, choice) else _visible(trail, round(LASTS_S / tick), singly=singly)
    pieces = way.without(visible)
    if visible:
        late = max(visible[0][0] - trail.finds[0][0], trail.finds[-1][0] - visible[-1][1])
        why = Why.AGREED if len(visible) == 1 and late * tick <= LASTS_S else Why.PARTLY
    elif hide:
        why = Why.DISAGREE if show else Why.AGAINST
    else:
        why = Why.UNSURE
    reason = Reason.PERSON if choice.only is not None and hide else Reason.FACE
    return Verdict(why, start, end, tuple(Covered(piece, look, reason) for piece in pieces), show, hide, tuple(visible))


def _told(finds: Sequence[VideoDetection], left: Iterator[Identity | None], choice: PeopleChoice) -> Iterator[VideoDetection]:
    found = [None if find.print is None else next(left) for find in finds]
    # Only one of two faces in a frame can be the visible person.
    who = found if choice.only is not None else assign_unique(found)
    for find, identity in zip(finds, who, strict=True):
        word = None if find.print is None else _word(find.print, identity, choice)
        yield replace(find, print=None, word=word)


def _word(print: UnsavedEmbedding, identity: Identity | None, choice: PeopleChoice) -> Vote | None:
    trusted = trust(print.quality) >= MIN_TRUST
    probable = identity is not None and identity.certainty is Certainty.PROBABLE
    if choice.only is not None:
        if identity is not None and identity.person_id in choice.only:
            return Vote.HIDE
        return Vote.SHOW if trusted and not probable else None
    if identity is not None and identity.person_id in choice.keep:
        return None if probable else Vote.SHOW
    return Vote.HIDE if trusted else None


def _two_people(words: Sequence[Vote], choice: PeopleChoice) -> bool:
    """Return whether the whole track is covered because of votes against it. A person to be covered is covered at the first one."""
    hide = words.count(Vote.HIDE)
    if choice.only is not None and hide:
        return True
    in_a_row = any(all(word is Vote.HIDE for word in words[at : at + IN_A_ROW]) for at in range(len(words) - IN_A_ROW + 1))
    return in_a_row or hide > AGAINST * len(words)


def _visible(trail: VideoTrack, lasts: int, *, singly: bool) -> list[tuple[int, int]]:
    """Return first and last moments between votes for it that are near enough to each other, without doubts between them."""
    stretches: list[tuple[int, int]] = []
    said: int | None = None  # the last vote for it, if nothing has intervened
    for moment, find in trail.finds:
        if moment in trail.doubtful or find.word is Vote.HIDE:
            said = None
        if find.word is not Vote.SHOW:
            continue
        if said is not None and moment - said <= lasts:
            begun = stretches.pop()[0] if stretches and stretches[-1][1] == said else said
            stretches.append((begun, moment))
        elif singly:
            stretches.append((moment, moment))
        said = moment
    return stretches
