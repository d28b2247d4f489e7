"""What the made-up agent answers, for tests that change it on its way."""

from playwright.sync_api import APIResponse, Route


def answer_to(route: Route) -> APIResponse:
    """Ask again when the server closes a kept connection, as after some idle seconds, at the moment it is used."""
    return route.fetch(max_retries=3)
