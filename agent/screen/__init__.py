"""Captures of the screen, and watching it."""
