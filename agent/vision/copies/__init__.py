"""Copies of pictures on which something is covered, and the way back."""

from agent.vision.copies.rendering import LARGEST_REGIONS, Copy, Part, Wish, render, restore

__all__ = ["LARGEST_REGIONS", "Copy", "Part", "Wish", "render", "restore"]
