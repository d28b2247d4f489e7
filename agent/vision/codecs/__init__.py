"""Converts image files to pixels and back, one module for each family of formats."""

from agent.vision.codecs.decode import decode, sniff
from agent.vision.codecs.encode import encode_jpeg, encode_preview, encode_small, resize
from agent.vision.codecs.image import Image, Limits, Pixels

__all__ = ["Image", "Limits", "Pixels", "decode", "encode_jpeg", "encode_preview", "encode_small", "resize", "sniff"]
