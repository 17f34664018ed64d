"""The seeded generator that belongs to every call."""

from __future__ import annotations

_ALL = 0xFFFF_FFFF_FFFF_FFFF


class Random:
    """A small deterministic generator (SplitMix64: Steele, Lea and Flood 2014), the same on every platform."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _ALL

    def next_u64(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E37_79B9_7F4A_7C15) & _ALL
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & _ALL
        z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & _ALL
        return z ^ (z >> 31)

    def next_f64(self) -> float:
        """A float in [0, 1), of 53 random bits."""
        return (self.next_u64() >> 11) / (1 << 53)

    def below(self, bound: int) -> int:
        """An integer from 0 up to, but not including, a bound below 2**64, without bias (Lemire 2019). A bound of 0 gives 0."""
        if bound <= 0:
            return 0
        threshold = (1 << 64) % bound
        while True:
            product = self.next_u64() * bound
            if product & _ALL >= threshold:
                return product >> 64
