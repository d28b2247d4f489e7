"""Animations, and files of several pages: read, detected and written a frame at a time."""
