"""Creates copies of pictures with covered areas, and restores them."""

from agent.inference.vision.redacted.rendering import LARGEST_REGIONS, Copy, RenderOptions, RenderPart, render, restore

__all__ = ["LARGEST_REGIONS", "Copy", "RenderOptions", "RenderPart", "render", "restore"]
