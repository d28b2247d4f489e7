"""Foundations that every part of the program may use, and that use none of them: settings, logs, texts, files, child processes."""
