"""Converts image files to pixels and back, one module for each family of formats."""

from agent.inference.vision.codecs.decode import decode, sniff
from agent.inference.vision.codecs.decoded_image import DecodeLimits, Image, Pixels
from agent.inference.vision.codecs.encode import encode_jpeg, encode_preview, encode_small, resize

__all__ = ["DecodeLimits", "Image", "Pixels", "decode", "encode_jpeg", "encode_preview", "encode_small", "resize", "sniff"]
