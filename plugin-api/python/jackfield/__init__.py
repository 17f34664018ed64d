"""All that the author of a Jackfield plugin in Python needs.

An extension is a dataclass: its fields are the options of a stage's `with` table, its method does the work.

    from dataclasses import dataclass
    from typing import Annotated

    from jackfield import Analyzer, Host, Range, export_plugin

    @dataclass
    class Text:
        text: Annotated[str, "Any text."]

    @dataclass
    class Counts:
        words: Annotated[int, "How many words there are."]

    @dataclass
    class WordCount(Analyzer):
        \"\"\"Counts words.\"\"\"

        NAME = "word-count"
        min_length: Annotated[int, "Words shorter than this are not counted.", Range(minimum=1)] = 1

        def analyze(self, document: Text, host: Host) -> Counts:
            return Counts(words=sum(len(word) >= self.min_length for word in document.text.split()))

    Meta, Extension = export_plugin(WordCount, version="0.1.0")

Whatever can differ between machines (random numbers, models, caches, servers) is asked of the `Host`; an extension is
otherwise a pure function of its configuration and its input.
"""

from .documents import Context, Document, Tensor, TextFile, WithTensors
from .extensions import Analyzer, Example, Model, Permission
from .failures import (
    Cancelled,
    Failure,
    Internal,
    InvalidConfig,
    InvalidInput,
    InvalidOutput,
    OverBudget,
    RateLimited,
    Unavailable,
)
from .host import Host, HttpResponse
from .models import Completion, CompletionRequest, Message, Usage
from .plugin import export_plugin
from .rng import Random
from .schema import Range

__all__ = [
    "Analyzer",
    "Cancelled",
    "Completion",
    "CompletionRequest",
    "Context",
    "Document",
    "Example",
    "Failure",
    "Host",
    "HttpResponse",
    "Internal",
    "InvalidConfig",
    "InvalidInput",
    "InvalidOutput",
    "Message",
    "Model",
    "OverBudget",
    "Permission",
    "Random",
    "Range",
    "RateLimited",
    "Tensor",
    "TextFile",
    "Unavailable",
    "Usage",
    "WithTensors",
    "export_plugin",
]
