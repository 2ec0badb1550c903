"""What goes wrong upstream, by its code, and what we do about it: one table, read also by the documents."""

from enum import Enum


class Action(Enum):
    """What to do about it."""

    ACCOUNT = "never reconnect; the caller is told, new calls are turned away until the upstream serves us again"
    OURS = "never reconnect; the caller is told, and the log says what we asked for"
    LOST = "the connection is gone, the next one takes over"
    LATER = "ask again after the delay that the upstream names, three times and 20 s at most"
    FULL = "that turn is refused, and the caller is told that it is `busy`; the call goes on"
    FOREIGN = "that turn is refused with `language_not_served`; the call goes on"
    RACE = "count it and go on"


CODES = {
    "invalid_api_key": Action.ACCOUNT,
    "insufficient_quota": Action.ACCOUNT,
    "credit_balance_exhausted": Action.ACCOUNT,
    "account_deactivated": Action.ACCOUNT,
    "billing_hard_limit_reached": Action.ACCOUNT,
    "invalid_model": Action.ACCOUNT,
    "model_not_found": Action.ACCOUNT,
    "beta_api_shape_disabled": Action.ACCOUNT,
    "voice_mismatch": Action.OURS,
    "setup_mismatch": Action.OURS,
    "session_expired": Action.LOST,
    "server_error": Action.LOST,
    "audio_before_setup": Action.LOST,
    "rate_limit_exceeded": Action.LATER,
    "server_is_overloaded": Action.FULL,
    "slow_down": Action.FULL,
    "language_not_served": Action.FOREIGN,
    "conversation_already_has_active_response": Action.RACE,
    "response_cancel_not_active": Action.RACE,
    "input_audio_buffer_commit_empty": Action.RACE,
}
"""Any other code is OURS when it answers our setup or a seeded turn, fails that one turn when it answers a
response.create or what that is to answer, and else is a race."""

BUSY = "conversation_already_has_active_response"


def of(code: str) -> Action | None:
    """What a code alone says."""
    return CODES.get(code)
