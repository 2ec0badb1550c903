"""Counts points for many personas at once, by bit slicing. A set of personas is an int: bit n stands for the n-th.

`Tally` has one int per binary digit of the points: bit n of the i-th int is the i-th digit of persona n's points.
Adding a number to all personas of a set is then a few operations on large ints, as in a ripple-carry adder: a hundred
words of a query and a thousand personas take some hundred additions instead of a hundred thousand.

    digits[0] = 0b0110      personas 1 and 2 have an odd number of points
    digits[1] = 0b0100      persona 2 has 3, persona 1 has 1
"""

from collections.abc import Iterator


class Tally:
    """The points of each persona."""

    def __init__(self) -> None:
        self._digits: list[int] = []

    def add(self, people: int, points: int) -> None:
        """Add points to every persona of a set."""
        for place in range(points.bit_length()):
            if points >> place & 1:
                self._carry(people, place)

    def with_points(self) -> int:
        """The set of personas with any points."""
        people = 0
        for digit in self._digits:
            people |= digit
        return people

    def ranked(self, among: int) -> Iterator[tuple[int, int]]:
        """(number of the persona, points) for each of a set that has any; most points first, equals by number."""
        yield from self._below(len(self._digits), self.with_points() & among, 0)

    def _carry(self, people: int, place: int) -> None:
        while people:
            self._digits += [0] * (place + 1 - len(self._digits))
            self._digits[place], people = self._digits[place] ^ people, self._digits[place] & people
            place += 1

    def _below(self, place: int, people: int, points: int) -> Iterator[tuple[int, int]]:
        """The same for personas that have `points` in the digits from `place` on; lower digits are still to be read."""
        if place and people:
            place -= 1
            yield from self._below(place, people & self._digits[place], points + (1 << place))
            yield from self._below(place, people & ~self._digits[place], points)
            return
        while people:
            first = people & -people
            yield first.bit_length() - 1, points
            people ^= first
