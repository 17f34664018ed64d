"""Tensors that travel by reference, as a plugin reads and makes them."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from itertools import islice
from math import prod
from typing import Protocol

from .documents import MAX_DIMENSIONS, TensorRef
from .failures import Internal, InvalidInput
from .schema import Misfit

AT_A_TIME = 1 << 16
"""The most elements that pass the boundary at a time: there, each is an object of its own."""


class ReaderCalls(Protocol):
    """The host's side of a tensor that is read."""

    def read(self, offset: int, length: int) -> Iterable[float]: ...


class WriterCalls(Protocol):
    """The host's side of a tensor that is made."""

    def write(self, elements: list[float]) -> None: ...

    def finish(self) -> str: ...


class TensorReader:
    """A tensor that can be read, for the time of a call. Made by `Host.tensor`."""

    def __init__(self, calls: ReaderCalls, shape: tuple[int, ...]) -> None:
        self._calls = calls
        self.shape = shape
        """Length of each dimension, the slowest first."""

    def __len__(self) -> int:
        """How many elements there are."""
        return prod(self.shape)

    def read(self, offset: int, length: int) -> array[float]:
        """The `length` elements from the one at `offset` on. Raises `InvalidInput` for elements that there are not."""
        if offset < 0 or length < 0 or offset + length > len(self):
            raise InvalidInput(f"there are no {length} elements from {offset} on: the tensor has {len(self)}")
        read = array("f")
        while len(read) < length:
            part = self._calls.read(offset + len(read), min(AT_A_TIME, length - len(read)))
            before = len(read)
            read.extend(part)
            if len(read) == before:
                raise Internal("the host gave a different number of elements than was requested")
        return read

    def as_array(self) -> array[float]:
        """All elements."""
        return self.read(0, len(self))


class TensorWriter:
    """A tensor that is being made, a piece at a time. Made by `Host.create_tensor`."""

    def __init__(self, calls: WriterCalls, shape: tuple[int, ...]) -> None:
        self._calls = calls
        self.shape = shape
        """Length of each dimension, the slowest first."""

    def write(self, elements: Iterable[float]) -> None:
        """Adds elements at the end. Raises `InvalidInput` if there are then more than the shape says, `OverBudget` beyond a
        limit."""
        rest = iter(elements)
        while part := list(islice(rest, AT_A_TIME)):
            self._calls.write(part)

    def finish(self) -> TensorRef:
        """Ends the tensor and gives its reference, to be put into an answer. Raises `InvalidInput` if elements are missing."""
        try:
            return TensorRef.read_json(json.loads(self._calls.finish()), "")
        except Misfit as misfit:
            raise Internal(f"the host gave no reference: {misfit}") from None


def checked_shape(shape: Iterable[int]) -> tuple[int, ...]:
    """The shape as a tuple. Raises `InvalidInput` for one that no tensor has."""
    lengths = tuple(shape)
    if len(lengths) > MAX_DIMENSIONS:
        raise InvalidInput(f"a tensor of {len(lengths)} dimensions, more than {MAX_DIMENSIONS}")
    if any(length < 0 for length in lengths) or prod(lengths) >= 1 << 64:
        raise InvalidInput(f"no tensor has the shape {list(lengths)}")
    return lengths
