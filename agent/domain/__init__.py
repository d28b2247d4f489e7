"""Shared values and rules: plain data without input or output."""
