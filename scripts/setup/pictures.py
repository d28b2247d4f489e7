"""Pictures for demonstrations: drawn landscapes, and many distinct photos made from the public-domain samples."""

import colorsys
import random
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SIZE = (2400, 1800)


def landscape(seed: int) -> Image.Image:
    """Return hills before a sky. RGB, 2400 x 1800; the same for the same seed."""
    chance = random.Random(seed)
    hue = chance.random()
    top, bottom = _colour(hue, 0.45, 0.75), _colour(hue + 0.08, 0.25, 0.98)
    picture = Image.composite(Image.new("RGB", SIZE, bottom), Image.new("RGB", SIZE, top), Image.linear_gradient("L").resize(SIZE))
    draw = ImageDraw.Draw(picture)
    x, y, radius = chance.randrange(400, 2000), chance.randrange(250, 600), chance.randrange(90, 160)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(0.13, 0.2, 1.0))
    for layer in range(4):
        height, points = 850.0 + 230 * layer, []
        for step in range(25):
            height = max(500.0, min(1750.0, height + chance.uniform(-90, 90)))
            points.append((step * 100.0, height))
        draw.polygon([(0.0, 1800.0), *points, (2400.0, 1800.0)], fill=_colour(hue + 0.3, 0.35 + 0.1 * layer, 0.75 - 0.14 * layer))
    return picture.filter(ImageFilter.GaussianBlur(2))


def variations(samples: Path, count: int) -> Iterator[Image.Image]:
    """Yield `count` distinct photos: samples with other crops, sides and tones, with occasional landscapes. RGB, up to 2400 x 1800."""
    photos = [Image.open(path).convert("RGB") for path in sorted(samples.glob("*.jpg")) if "partial" not in path.name]
    for number in range(count):
        chance = random.Random(1000 + number)
        if number % 5 == 3:
            yield landscape(100 + number)
            continue
        photo = photos[number % len(photos)]
        left, top = int(photo.width * chance.uniform(0, 0.1)), int(photo.height * chance.uniform(0, 0.08))
        photo = photo.crop((left, top, photo.width - left, int(photo.height * chance.uniform(0.85, 1.0))))
        photo = ImageOps.mirror(photo) if chance.random() < 0.5 else photo
        photo = ImageEnhance.Color(photo).enhance(chance.choice([0.0, 0.6, 1.0, 1.0, 1.2]))
        photo = ImageEnhance.Brightness(photo).enhance(chance.uniform(0.9, 1.1))
        yield ImageOps.contain(photo, SIZE)


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)
