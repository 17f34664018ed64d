"""What a cache backend keeps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class CacheEntry:
    """A value with its key and the time it has left."""

    key: str
    value: bytes
    ttl: float | None = None
    """How long it will be kept, in seconds; none for as long as there is room."""


@dataclass
class CacheSize:
    """How much a cache keeps, as far as is known."""

    entries: int = 0
    """Values that have not expired."""
    bytes: int = 0
    """Bytes of keys and values."""
