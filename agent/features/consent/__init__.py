"""Consent: who agreed to be recognised, shown and published, and what follows from it."""
