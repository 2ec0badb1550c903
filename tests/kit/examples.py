"""How much is drawn by tests that draw much."""

from hypothesis import settings


def examples(thorough: int) -> int:
    """So many in `make test-all`, a third of them in `make test`; for tests whose examples cost more than most."""
    return thorough if settings.get_current_profile_name() == "thorough" else thorough // 3
