"""Between a session and its OpenAIBridgeActor: what the model is asked, and what it says.

The commands that go on to the upstream as they are come from upstream/commands.py.
"""

from dataclasses import dataclass
from typing import TypeAlias

from actors.messages.ids import ChoiceId, Generation
from upstream.commands import (
    Append,
    AskClip,
    AskText,
    CancelReply,
    ContinueReply,
    Greet,
    Prove,
    SetTurnDetection,
    TruncateReply,
    UpdateInstructions,
)
from upstream.facts import Event, Setup, Turn

__all__ = [
    "AccountRefused",
    "Append",
    "AskClip",
    "AskText",
    "CancelReply",
    "Configure",
    "ContinueReply",
    "FromBridge",
    "Greet",
    "Prove",
    "Ready",
    "SetTurnDetection",
    "ToBridge",
    "TruncateReply",
    "UpdateInstructions",
    "UpstreamEvent",
    "UpstreamLost",
    "UpstreamRefused",
]


@dataclass(frozen=True, slots=True)
class Configure:
    """Be this persona, for this choice of the caller's; Ready follows. Only before the first audio or ask."""

    choice: ChoiceId
    setup: Setup
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """The connection is configured as the persona of this choice, and waits for something to answer.

    It lasts `seconds` at most. `listens` as it was told last: a SetTurnDetection may be on its way.
    """

    generation: Generation
    choice: ChoiceId
    seconds: float = 3600.0
    listens: bool = False


@dataclass(frozen=True, slots=True)
class UpstreamEvent:
    """An event of the upstream protocol, on the connection of this generation."""

    generation: Generation
    event: Event


ToBridge: TypeAlias = (
    Configure
    | UpdateInstructions
    | SetTurnDetection
    | Append
    | Greet
    | AskClip
    | AskText
    | ContinueReply
    | Prove
    | CancelReply
    | TruncateReply
)
FromBridge: TypeAlias = Ready | UpstreamEvent


class UpstreamLost(Exception):
    """The connection to the model is lost; another one may work."""


class UpstreamRefused(Exception):
    """The upstream refuses what we asked for, and would refuse it again."""


class AccountRefused(UpstreamRefused):
    """The upstream refuses our account, whatever we ask for: the key, the quota, the model."""
