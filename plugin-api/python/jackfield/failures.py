"""Failures: one exception for each variant of the contract.

Raise the one that fits; the host knows from it whether trying again can help. Messages are lowercase fragments without a
full stop that name the thing and, where there is one, the fix.
"""

from __future__ import annotations


class Failure(Exception):
    """Why a call did not answer. Raise one of its subclasses."""

    kind = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidConfig(Failure):
    """The configuration is well-formed, but makes no sense to the extension. Never retried."""

    kind = "invalid-config"


class InvalidInput(Failure):
    """The input cannot be worked on. Never retried."""

    kind = "invalid-input"


class InvalidOutput(Failure):
    """The extension, or a model it asked, produced something that does not fit. Never retried."""

    kind = "invalid-output"


class Unavailable(Failure):
    """Something that is needed cannot be reached at the moment. Retried."""

    kind = "unavailable"


class RateLimited(Failure):
    """There were too many requests. Retried, not before `retry_after` seconds where that is known."""

    kind = "rate-limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Cancelled(Failure):
    """The host asked to stop. Never retried within a run."""

    kind = "cancelled"


class OverBudget(Failure):
    """A limit on time, memory, calls, tokens or money was reached. Never retried within a run."""

    kind = "over-budget"


class Internal(Failure):
    """The extension itself is at fault. Any other exception becomes this failure. Never retried."""

    kind = "internal"


KINDS: dict[str, type[Failure]] = {
    failure.kind: failure
    for failure in (
        InvalidConfig,
        InvalidInput,
        InvalidOutput,
        Unavailable,
        RateLimited,
        Cancelled,
        OverBudget,
        Internal,
    )
}
"""The exception of each kind."""


def of_exception(error: Exception) -> Failure:
    """The failure that an exception stands for: itself, or a fault of the extension with the place it comes from."""
    if isinstance(error, Failure):
        return error
    places = _places(error)
    return Internal(f"{type(error).__name__}: {error}" + (f" ({places[-1]})" if places else ""))


def trace_of(error: Exception) -> str:
    """An exception with the places it passed, the outermost first. The module `traceback` would read the source, and a
    component has no files."""
    return "\n".join([f"{type(error).__name__}: {error}", *(f"  at {place}" for place in _places(error))])


def _places(error: Exception) -> list[str]:
    places, trace = [], error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        # A variable that is not there is missed by whoever asked for it.
        if not file.startswith("<frozen ") and file.rpartition("/")[2] != "sandbox.py":
            places.append(f"{file.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places
