"""Points of many at once. An int is a set of people, the n-th of whom is its n-th bit; points are added to a whole set.

A thousand people and a hundred words of a query would be a hundred thousand additions; so they are some hundred.
"""

from collections.abc import Iterator


class Tally:
    """How many points each has. Its n-th set is of those who have the n-th binary digit in theirs."""

    def __init__(self) -> None:
        self._digits: list[int] = []

    def add(self, people: int, points: int) -> None:
        """Give all of these so many more."""
        for place in range(points.bit_length()):
            if points >> place & 1:
                self._carry(people, place)

    def anybody(self) -> int:
        """Who has any."""
        people = 0
        for digit in self._digits:
            people |= digit
        return people

    def ranked(self, among: int) -> Iterator[tuple[int, int]]:
        """Whoever of these has any, by number, and how many; most first, equals by number."""
        yield from self._below(len(self._digits), self.anybody() & among, 0)

    def _carry(self, people: int, place: int) -> None:
        while people:
            self._digits += [0] * (place + 1 - len(self._digits))
            self._digits[place], people = self._digits[place] ^ people, self._digits[place] & people
            place += 1

    def _below(self, place: int, people: int, points: int) -> Iterator[tuple[int, int]]:
        """Of these people, who have so many points in the places from this one on."""
        if place and people:
            place -= 1
            yield from self._below(place, people & self._digits[place], points + (1 << place))
            yield from self._below(place, people & ~self._digits[place], points)
            return
        while people:
            first = people & -people
            yield first.bit_length() - 1, points
            people ^= first
