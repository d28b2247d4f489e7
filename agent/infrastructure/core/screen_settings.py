"""The sections of the settings for captures, and for watching the screen."""

from typing import Annotated

from pydantic import Field

from agent.domain.redaction import Style
from agent.infrastructure.core.setting_section import Pattern, Section


class CaptureSettings(Section):
    """Captures of the screen."""

    hotkey: Annotated[
        str,
        Field(
            pattern=r"^(((Ctrl|Alt|Shift|Super)\+){1,4}([A-Z0-9]|F([1-9]|1[0-2])|Print)|Print)?$",
            examples=["Ctrl+Shift+F9", "Super+Shift+S", "Print"],
        ),
    ] = ""
    """A key combination that captures the screen whatever window is in use; empty is none. While there is one, the hidden popup is kept."""
    style: Style = Style.SOLID
    """How faces are covered; mosaic and blur can be partly undone."""
    copy_at_once: bool = True
    """Put the covered picture on the clipboard before it is reviewed."""


class WatchSettings(Section):
    """Watching the screen for faces."""

    enabled: bool = False
    """Look at the screen now and then, and say when a face appears. No picture is kept; the tray icon shows that it is on."""
    interval_s: Annotated[int, Field(ge=1, le=60)] = 2
    """Look this often."""
    screens: tuple[Annotated[int, Field(ge=1, le=99)], ...] = ()
    """Numbers of the screens to look at; empty means all."""
    min_face: Annotated[int, Field(ge=24, le=1_000)] = 48
    """Smaller faces (pixels of the screen) are left out. The larger this is, the less work it takes."""
    again_minutes: Annotated[int, Field(ge=1, le=1_440)] = 5
    """Who was not seen for this long is told again."""
    new_faces: bool = True
    """Say when a face appears."""
    people: bool = True
    """Say who it is, of people who agreed to it, while recognition is on."""
    sharing: bool = True
    """Say when a face is visible while the screen is shared, as far as that can be told."""
    only_in: tuple[Pattern, ...] = ()
    """Only faces in windows of these programs (`firefox`, `*player*`); empty means all."""
    not_in: tuple[Pattern, ...] = ()
    """Not faces in windows of these programs."""
    in_calls: bool = False
    """Continue while a program for calls is in front."""
    call_programs: tuple[Pattern, ...] = (
        *("zoom*", "*teams*", "*skype*", "*webex*", "*ciscocollabhost*", "*jitsi*", "facetime", "gotomeeting*", "*bluejeans*", "whereby*"),
        *("*wemeet*", "*tencent meeting*", "*voov*", "*dingtalk*", "*feishu*", "*lark*", "discord", "slack", "element*", "linphone*"),
    )
    """Programs for calls, by the name of the window's class or of the program."""
    sharing_signs: tuple[Pattern, ...] = (
        *("*is sharing your screen*", "*is sharing a window*", "*you are sharing your screen*", "*screen sharing meeting controls*"),
        *(
            "*sharing control bar*",
            "as_toolbar",
            "zpfloattoolbarclass",
            "*正在共享你的屏幕*",
            "*正在共享您的屏幕*",
            "*你正在共享屏幕*",
            "*您正在共享屏幕*",
        ),
    )
    """Titles or classes of windows that are there only while the screen is shared."""
