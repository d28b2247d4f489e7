"""Redacted copies of videos and animations, part by part."""
