"""Animated pictures, and files of several pages: read, looked through and written a frame at a time."""
