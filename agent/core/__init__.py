"""What every part of the program may use, and what uses none of them: settings, logs, texts, files, child processes."""
