"""Moving pictures: read in parts, looked through for faces, covered, written and joined with their sound.

The library for it (PyAV, an optional extra) is imported only by the modules below, and they only when a clip is asked for.
"""
