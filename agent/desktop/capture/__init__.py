"""Screen captures and screen watching."""
