"""Videos: read in parts, searched for faces, covered, written and joined with their audio.

Their library (PyAV, an optional extra) is imported only by the modules below, and only for a video.
"""
