"""What a copy can't hold of the picture itself, its depth and what is transparent, is told; how finely colours are sampled stays."""

import cv2
import numpy as np
import PIL.Image
import pytest

from agent.inference.vision.codecs.avif import AvifCoding, coding_of
from agent.inference.vision.redacted import Copy, RenderOptions, render
from tests.support.covered_files import COVER, FILES, HEIGHT, LIMITS, WIDTH, rgba, saved, scene
from tests.support.unusual_images import ODD, bmp


def copied(data: bytes, format: str | None = None) -> Copy:
    return render(data, RenderOptions((COVER,), format), LIMITS)


def test_what_a_format_has_no_room_for_is_told() -> None:
    """Of colours and of what is transparent, too."""
    clear = saved(PIL.Image.fromarray(np.dstack([scene(), np.full((HEIGHT, WIDTH), 90, np.uint8)])), "HEIF", quality=95)
    assert copied(clear).removed == ("alpha", "pictures")
    masks = bmp(np.dstack([scene(), np.full((HEIGHT, WIDTH), 90, np.uint8)]), (0xFF0000, 0xFF00, 0xFF, 0xFF000000), 32)
    assert copied(masks).removed == ("alpha",)
    assert copied(FILES["png-clear"](1), format="jpeg").removed == ("alpha",)
    assert copied(FILES["png-clear"](1), format="gif").removed == ("alpha",)
    for format in ("jpeg", "webp", "bmp"):
        assert copied(FILES["png-deep"](1), format=format).removed == ("depth",)
    assert copied(ODD["tiff-planes-deep"](scene())).removed == ("depth",)
    if cv2.haveImageWriter(".avif"):  # not on Windows
        assert copied(deep_avif()).removed == ("depth",)


def test_an_opaque_pictures_alpha_is_not_said_to_have_gone() -> None:
    opaque = PIL.Image.fromarray(np.dstack([scene(), np.full((HEIGHT, WIDTH), 255, np.uint8)]))
    assert copied(saved(opaque, "PNG"), format="jpeg").removed == ()


def deep_avif() -> bytes:
    done, data = cv2.imencode(".avif", scene(deep=True) >> 6, [cv2.IMWRITE_AVIF_DEPTH, 10])
    assert done
    return data.tobytes()


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_an_avifs_colours_stay_as_fine_as_they_were(sampling: str) -> None:
    """Red lines of one pixel: half of what is between them is gone where colours are sampled coarsely."""
    picture = np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8)
    picture[:, ::2] = (255, 0, 0)
    data = saved(PIL.Image.fromarray(picture), "AVIF", quality=95, subsampling=sampling)
    assert coding_of(data) == AvifCoding(8, sampling)
    copy = render(data, RenderOptions(()), LIMITS)
    assert coding_of(copy.data) == AvifCoding(8, sampling)
    assert np.abs(rgba(copy.data).astype(int) - rgba(data)).mean() < 5
