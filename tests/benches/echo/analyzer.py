"""Answers what it is told."""

from dataclasses import dataclass
from typing import Annotated

from jackfield import Analyzer, Host, export_plugin


@dataclass
class Said:
    """A text."""

    text: Annotated[str, "Any text."]


@dataclass
class Echo(Analyzer):
    """Answers what it is told."""

    NAME = "echo"

    def analyze(self, document: Said, host: Host) -> Said:
        return document


Meta, Extension = export_plugin(Echo, version="0.1.0")
