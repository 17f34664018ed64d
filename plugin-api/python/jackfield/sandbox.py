"""What Python's own library does inside a component, where `print` goes to the log, and chance and variables have to be granted.

Imported while a component is built, and only then: it changes modules of the library as a program that runs elsewhere must not."""

from __future__ import annotations

import functools
import os
import random
import sys
from collections.abc import Callable
from typing import Any

_is_seeded = False


class NotGranted(KeyError):
    """A variable that is not there, with what would grant it."""

    def __str__(self) -> str:
        return str(self.args[0])


def prepare() -> None:
    """Is called once all modules of the plugin are imported: what they have then is in the component."""
    for stream in (sys.stdout, sys.stderr):
        # By default what is printed waits for more of it, and an instance ends without a word.
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    os.environ.__class__ = _variables(type(os.environ))
    _guard_random()
    if "logging" in sys.modules:
        # Each record has the time at which it was made, which no format has to show.
        sys.modules["logging"].time = _StillTime()


def begin() -> None:
    """Is called when an instance is opened: the numbers of its random generator are drawn anew."""
    global _is_seeded
    _is_seeded = False


def flush() -> None:
    """Is called when a call ends: the last line that was printed may have no end."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def _variables(kind: type) -> type:
    class Variables(kind):
        """`os.environ`, which says how a variable that is not there would be granted."""

        def __getitem__(self, key: str) -> str:
            try:
                return super().__getitem__(key)
            except KeyError:
                raise NotGranted(
                    f"os.environ[{key!r}] is not there: it is not set where jackfield runs, or not granted: the plugin asks "
                    f'for `env:{key}` in its permissions, and the pipeline grants it, `grant = ["env:{key}"]`'
                ) from None

    return Variables


def _guard_random() -> None:
    """Puts functions in place of those of `random` that draw a seed first. The state of their generator is part of the component, so
    without that they would give the same numbers in every instance; and drawing a seed ends the call if `random` is not
    granted. A seed of the plugin's own, such as that of its context, needs no grant."""
    source = getattr(random.random, "__self__", None)
    guards: dict[int, Callable[..., Any]] = {}
    for name in random.__all__:
        function = getattr(random, name)
        if source is not None and getattr(function, "__self__", None) is source:
            guards[id(function)] = _seeding(function) if name in ("seed", "setstate") else _seeded(function)
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            guard = guards.get(id(value))
            if guard is not None:
                setattr(module, name, guard)


_seed = random.seed


def _seeded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guard(*arguments: Any, **named: Any) -> Any:
        global _is_seeded
        if not _is_seeded:
            _seed()
            _is_seeded = True
        return function(*arguments, **named)

    return guard


def _seeding(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def guard(*arguments: Any, **named: Any) -> Any:
        global _is_seeded
        function(*arguments, **named)
        _is_seeded = True

    return guard


class _StillTime:
    """The module `time` for `logging`: there is no time for its records."""

    def __getattr__(self, name: str) -> Any:
        import time

        return getattr(time, name)

    def time(self) -> float:
        return 0.0

    def time_ns(self) -> int:
        return 0
