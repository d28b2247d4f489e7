"""Draws the icons: the logo as SVG, PNG and ICO and the tray's states into `assets/icons`, and the pictures of the installers.

Run it as `python -m scripts.make_icons` after changing the drawing; the files are committed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

ICONS = Path(__file__).parents[1] / "assets" / "icons"
SIDE = ICONS.parents[1] / "installers" / "windows" / "side.bmp"
MAC_ICON = ICONS.parents[1] / "installers" / "macos" / "mark.icns"  # not installed on other systems
SIZES = (16, 24, 32, 48, 64, 128, 256)
LARGE = 512  # for software centres; larger than an .ico can hold
TRAY_SIDE = 64
OVERSAMPLING = 8
SIDE_SIZE, SIDE_MARK = (164, 314), 96  # for the last page of the Windows installer, as NSIS requires
MAC_SIDE = 1024  # the smaller sizes of a Mac icon are derived from it

JADE = (11, 107, 93)
MINT = (88, 194, 173)
DEEP = (5, 34, 28)
AMBER = (240, 178, 58)
GREY = (110, 119, 115)
SLATE = (45, 52, 49)
WHITE = (255, 255, 255)
INK = (43, 29, 0)
RED = (196, 43, 61)

# The logo on a 24 x 24 grid: a speech bubble around head and shoulders.
BODY = (2.0, 2.0, 22.0, 18.5)
CORNER = 5.0
TAIL = ((11.5, 18.0), (18.0, 18.0), (18.0, 23.0))
HEAD = (12.0, 8.2, 2.9)
SHOULDERS = (6.4, 12.0, 17.6, 21.4)


@dataclass(frozen=True, slots=True)
class TrayState:
    """A tray icon: the colour of the logo and its badge. Each state has its own shape besides the colour."""

    fill: tuple[int, int, int]
    badge: str | None = None


TRAY = {
    "starting": TrayState(GREY, "dots"),
    "idle": TrayState(JADE),
    "working": TrayState(JADE, "dots"),
    "paused": TrayState(GREY, "bars"),
    "limited": TrayState(JADE, "ceiling"),
    "attention": TrayState(JADE, "exclamation"),
}


def svg(fill: tuple[int, int, int] = JADE) -> str:
    """Return the logo as a scalable drawing."""
    left, top, right, bottom = BODY
    tail = " ".join(f"{x:g},{y:g}" for x, y in TAIL)
    x, y, radius = HEAD
    left_shoulder, _, right_shoulder, _ = SHOULDERS
    half = (right_shoulder - left_shoulder) / 2
    base = 16.6
    colour = "#{:02x}{:02x}{:02x}".format(*fill)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="{colour}">'
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" rx="{CORNER:g}"/><polygon points="{tail}"/></g>'
        f'<g fill="#fff"><circle cx="{x:g}" cy="{y:g}" r="{radius:g}"/>'
        f'<path d="M{left_shoulder:g} {base}A{half:g} 4.6 0 0 1 {right_shoulder:g} {base}Z"/></g></svg>\n'
    )


def mark(side: int, fill: tuple[int, int, int] = JADE, badge: str | None = None, *, watching: bool = False) -> Image.Image:
    """Return the logo as an RGBA picture of side x side pixels, downscaled for smooth edges; `watching`: with an open eye."""
    scale = side * OVERSAMPLING / 24
    canvas = Image.new("RGBA", (side * OVERSAMPLING, side * OVERSAMPLING))
    draw = ImageDraw.Draw(canvas)

    def at(*values: float) -> tuple[float, ...]:
        return tuple(value * scale for value in values)

    # A thin light edge keeps the dark logo visible on a dark panel.
    edge = 0.9
    left, top, right, bottom = BODY
    (ax, ay), (bx, by), (cx, cy) = TAIL
    for colour, grow in (((*WHITE, 235), edge), ((*fill, 255), 0.0)):
        draw.rounded_rectangle(at(left - grow, top - grow, right + grow, bottom + grow), (CORNER + grow) * scale, fill=colour)
        draw.polygon([at(ax - 2 * grow, ay), at(bx + grow, by), at(cx + grow, min(24.0, cy + grow))], fill=colour)
    x, y, radius = HEAD
    draw.ellipse(at(x - radius, y - radius, x + radius, y + radius), fill=(*WHITE, 255))
    draw.pieslice(at(*SHOULDERS), 180, 360, fill=(*WHITE, 255))
    if badge is not None:
        _badge(draw, badge, at)
    if watching:
        _eye(draw, at)
    return canvas.resize((side, side), Image.Resampling.LANCZOS)


def installer_side() -> Image.Image:
    """Return the logo on its own dark colour, as an RGB picture."""
    picture = Image.new("RGB", SIDE_SIZE, DEEP)
    drawn = mark(SIDE_MARK)
    picture.paste(drawn, ((SIDE_SIZE[0] - SIDE_MARK) // 2, (SIDE_SIZE[1] - SIDE_MARK) // 3), drawn)
    return picture


def _badge(draw: ImageDraw.ImageDraw, badge: str, at: Callable[..., tuple[float, ...]]) -> None:
    """Draw a disc at the lower right with the state's sign, separated from the logo by a clear ring."""
    x, y, radius = 17.2, 17.2, 6.4
    draw.ellipse(at(x - radius - 1, y - radius - 1, x + radius + 1, y + radius + 1), fill=(0, 0, 0, 0))
    background, ink = {"dots": (MINT, DEEP), "bars": (SLATE, WHITE), "ceiling": (AMBER, INK), "exclamation": (AMBER, INK)}[badge]
    draw.ellipse(at(x - radius, y - radius, x + radius, y + radius), fill=(*background, 255))
    match badge:
        case "dots":
            for offset in (-3.4, 0.0, 3.4):
                draw.ellipse(at(x + offset - 1.2, y - 1.2, x + offset + 1.2, y + 1.2), fill=(*ink, 255))
        case "bars":
            for offset in (-2.0, 2.0):
                draw.rectangle(at(x + offset - 1.1, y - 3.2, x + offset + 1.1, y + 3.2), fill=(*ink, 255))
        case "ceiling":
            draw.rectangle(at(x - 3.8, y - 4.2, x + 3.8, y - 2.5), fill=(*ink, 255))
            draw.polygon([at(x - 3.4, y + 1.6), at(x + 3.4, y + 1.6), at(x, y - 1.8)], fill=(*ink, 255))
            draw.rectangle(at(x - 1.1, y + 1.2, x + 1.1, y + 4.4), fill=(*ink, 255))
        case _:
            draw.rectangle(at(x - 1.1, y - 4.2, x + 1.1, y + 0.9), fill=(*ink, 255))
            draw.ellipse(at(x - 1.3, y + 2.0, x + 1.3, y + 4.6), fill=(*ink, 255))


def _eye(draw: ImageDraw.ImageDraw, at: Callable[..., tuple[float, ...]]) -> None:
    """Draw an open eye on a red disc at the upper right, separated like a badge: the same for all states."""
    x, y, radius = 17.4, 6.6, 6.4
    draw.ellipse(at(x - radius - 1, y - radius - 1, x + radius + 1, y + radius + 1), fill=(0, 0, 0, 0))
    draw.ellipse(at(x - radius, y - radius, x + radius, y + radius), fill=(*RED, 255))
    lid = [
        (x - 4.6, y),
        (x - 2.4, y - 2.4),
        (x, y - 3.1),
        (x + 2.4, y - 2.4),
        (x + 4.6, y),
        (x + 2.4, y + 2.4),
        (x, y + 3.1),
        (x - 2.4, y + 2.4),
    ]
    draw.polygon([at(*point) for point in lid], fill=(*WHITE, 255))
    draw.ellipse(at(x - 1.9, y - 1.9, x + 1.9, y + 1.9), fill=(*RED, 255))


def main() -> None:
    """Write every icon file."""
    ICONS.mkdir(parents=True, exist_ok=True)
    (ICONS / "mark.svg").write_text(svg(), encoding="utf-8")
    pictures = {side: mark(side) for side in SIZES}
    for side, picture in pictures.items():
        picture.save(ICONS / f"mark-{side}.png", optimize=True)
    mark(LARGE).save(ICONS / f"mark-{LARGE}.png", optimize=True)
    largest = pictures[SIZES[-1]]
    largest.save(ICONS / "mark.ico", sizes=[(side, side) for side in SIZES], append_images=[pictures[side] for side in SIZES[:-1]])
    mark(MAC_SIDE).save(MAC_ICON)
    installer_side().save(SIDE)
    for name, state in TRAY.items():
        mark(TRAY_SIDE, state.fill, state.badge).save(ICONS / f"tray-{name}.png", optimize=True)
        mark(TRAY_SIDE, state.fill, state.badge, watching=True).save(ICONS / f"tray-{name}-watching.png", optimize=True)


if __name__ == "__main__":
    main()
