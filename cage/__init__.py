"""What a process may do, and what it inherits: the children of the server, and the server itself."""

from cage.allocator import return_large_blocks, trim
from cage.environment import clean_environment
from cage.processes import DECODER, READER, Cage, protect, shut_in
from cage.user import Unknown, User, user_named

__all__ = [
    "DECODER", "READER", "Cage", "Unknown", "User", "clean_environment", "protect", "return_large_blocks",
    "shut_in", "trim", "user_named",
]  # fmt: skip
