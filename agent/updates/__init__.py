"""Newer versions: found, downloaded, tried, installed and rolled back."""
