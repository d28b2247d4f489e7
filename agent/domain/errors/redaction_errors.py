"""What can stand in the way of a covered copy."""

from agent.domain.errors.error_tree import AgentError


class RedactionError(AgentError):
    """One copy could not be made: the original is untouched, and nothing half-made stands under the copy's name."""


class SameFile(RedactionError):
    """The copy would take the place of its original, which was not asked for."""

    code = "redact.same_file"


class CopyUnwritable(RedactionError):
    """Parameter, if it is known: the folder, as `denied` (no permission), `read_only` (its disk) or `folder`."""

    code = "redact.unwritable"


class CopyPlaceUnclear(RedactionError):
    """A folder that was typed is no full path. Parameters: `path`, and `example`, a full one."""

    code = "redact.not_full_path"


class CopyDiskFull(RedactionError):
    code = "redact.disk_full"


class CopyUnsupported(RedactionError):
    """Parameters: `format`, in which no copy can be written, or empty where a name has no ending; `choices`, the endings that it may have.

    Of a clip instead: `clip`, its own ending, or `becomes`, the format of its copy. Of a photo in its own place: `instead`, likewise.
    """

    code = "redact.unsupported"


class CopyUnproven(RedactionError):
    """The finished copy, decoded again, was not what was drawn."""

    code = "redact.unproven"


class RegionsTooLarge(RedactionError):
    """What is covered is more than can be kept aside. Parameters `megabytes`, `limit`."""

    code = "redact.regions_too_large"


class NotRestorable(RedactionError):
    """There is nothing kept to restore from."""

    code = "redact.nothing_kept"


class CopyMissing(RedactionError):
    """The copy is not there, or neither it nor what was kept beside it."""

    code = "redact.copy_missing"


class RestoreKeyWrong(RedactionError):
    """Kept with the key of another library. One parameter, 1, for what else is wrong.

    `locked`: it takes a passphrase, and none was given; `unlocked`: it takes none; `wrong`: it takes another one.
    """

    code = "redact.wrong_key"


class PassphraseWeak(RedactionError):
    """Parameter: `least`, characters; wide ones, as Chinese, count twice."""

    code = "redact.passphrase_weak"


class AlreadyKept(RedactionError):
    """Beside the file lies what was kept of an earlier original, which must not be lost."""

    code = "redact.already_kept"


class KeptDamaged(RedactionError):
    """What was kept was changed or is cut short: none of it can be believed."""

    code = "redact.kept_damaged"


class CopyChanged(RedactionError):
    """The copy is not the one whose regions were kept."""

    code = "redact.copy_changed"


class PassphraseGone(RedactionError):
    """The program ended before the copy was made, and the passphrase was noted nowhere."""

    code = "redact.passphrase_gone"


class VideoMissing(RedactionError):
    """What reads and writes moving pictures is an extra that is not installed."""

    code = "redact.video_missing"


class VideoNoPicture(RedactionError):
    """A file with sound only."""

    code = "redact.video_no_picture"


class VideoUnreadable(RedactionError):
    """No clip, or one that is damaged where it tells how it is to be read."""

    code = "redact.video_unreadable"


class VideoUnwritable(RedactionError):
    """The copy can't hold what the original does."""

    code = "redact.video_unwritable"


class FilmTooLong(RedactionError):
    """Too many frames or pages to look through each. Parameters `frames`, `megapixels` in all, and `most`, `limit` of these."""

    code = "redact.film_too_long"


class VideoKeepsNoRegions(RedactionError):
    """What is below the covers of a clip can't be kept apart from it."""

    code = "redact.video_keeps_no_regions"


class VideoNotEditable(RedactionError):
    """A clip's covers can't be set by hand."""

    code = "redact.video_not_editable"
