"""Placeholder."""


def story_page() -> str:
    """Return the page."""
    return ""
