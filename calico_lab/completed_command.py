"""What is left of a command that has run, wherever that was."""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class CompletedCommand:
    """A command that has run on the bastion: its exit code, what it printed, and what it complained about."""

    command: str
    exit_code: int
    output: str
    errors: str

    def __str__(self) -> str:
        return self.output

    def __repr__(self) -> str:
        failed = f"exit code {self.exit_code}" if self.exit_code else ""
        return "\n".join(part.rstrip("\n") for part in (self.output, self.errors, failed) if part.strip())

    def _repr_html_(self) -> str:
        parts = ((self.output, "inherit"), (self.errors, "#a33"))
        shown = "".join(f'<pre style="color: {color}">{html.escape(text)}</pre>' for text, color in parts if text)
        return shown + (f"<p>exit code {self.exit_code}</p>" if self.exit_code else "")
