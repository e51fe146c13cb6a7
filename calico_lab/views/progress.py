"""How long something has been waited for: a bar in Jupyter, one on a terminal, nothing in a pipe.

In a notebook the bar is a widget that changes in its own place. What is stored of it is a text that is the same in
every run, and the only thing that is seen where there are no widgets.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

GUIDE_SECONDS = 60
WIDGET = "application/vnd.jupyter.widget-view+json"


class Bar(Protocol):
    """Something that shows how long has been waited."""

    def waited(self, seconds: float) -> None:
        """Show that it has been so many seconds."""

    def done(self, seconds: float) -> None:
        """Show that it has come true, after so many seconds."""

    def failed(self) -> None:
        """Show that it has not."""


@contextmanager
def bar(description: str, limit: float) -> Iterator[Bar]:
    """Show a bar while its block runs; ``limit`` seconds are its whole length."""
    if _in_jupyter():
        yield WidgetBar(description, limit)
    elif sys.stderr.isatty():
        with _terminal_bar(description, limit) as shown:
            yield shown
    else:
        yield NoBar()


@contextmanager
def no_bar() -> Iterator[Bar]:
    """Show nothing."""
    yield NoBar()


class NoBar:
    """Nothing is shown, because nobody looks."""

    def waited(self, seconds: float) -> None:
        """Show nothing."""

    def done(self, seconds: float) -> None:
        """Show nothing."""

    def failed(self) -> None:
        """Show nothing."""


class WidgetBar:
    """A bar in a notebook, displayed at once."""

    def __init__(self, description: str, limit: float) -> None:
        import ipywidgets
        from IPython.display import display

        self._description = html.escape(description)
        self._limit = limit
        self._bar = ipywidgets.FloatProgress(max=limit, layout=ipywidgets.Layout(width="12em"))
        self._text = ipywidgets.HTML(f"{self._description} …")
        self.widget = ipywidgets.HBox([self._bar, self._text])
        text = f"Wait for: {description} (at most {limit:g} s)"
        view = self.widget._repr_mimebundle_()[WIDGET]
        display({"text/plain": text, WIDGET: view}, raw=True)  # type: ignore[no-untyped-call]

    def waited(self, seconds: float) -> None:
        """Lengthen the bar."""
        self._bar.value = seconds
        self._text.value = f"{self._description} … {seconds:.1f} s of at most {self._limit:g} s"

    def done(self, seconds: float) -> None:
        """Say how long it took."""
        self._bar.value, self._bar.bar_style = self._limit, "success"
        self._text.value = f"✓ {self._description}: after {seconds:.1f} s"

    def failed(self) -> None:
        """Colour the bar; what stood in the way is said by the error."""
        self._bar.value, self._bar.bar_style = self._limit, "danger"
        self._text.value = f"✗ {self._description}"


class Together:
    """What has been waited for one after the other, and what that is against the guide's ``sleep 60``."""

    def __init__(self, descriptions: Sequence[str], seconds: float) -> None:
        self._descriptions = descriptions
        saved = f", {GUIDE_SECONDS - seconds:.1f} s less than the guide's {GUIDE_SECONDS} s" * (seconds < GUIDE_SECONDS)
        self.said = f"All of it after <b>{seconds:.1f} s</b>{saved}."

    def __repr__(self) -> str:
        return "\n".join(f"✓ {description}" for description in self._descriptions)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        import ipywidgets

        return {"text/plain": repr(self), WIDGET: ipywidgets.HTML(self.said)._repr_mimebundle_()[WIDGET]}


class TerminalBar:
    """A line on a terminal, which is gone when the wait is over."""

    def __init__(self, progress: Any, task: Any) -> None:
        self._progress = progress
        self._task = task

    def waited(self, seconds: float) -> None:
        """Lengthen the bar."""
        self._progress.update(self._task, completed=seconds)

    def done(self, seconds: float) -> None:
        """Show nothing more: what follows says it."""

    def failed(self) -> None:
        """Show nothing more: the error says it."""


@contextmanager
def _terminal_bar(description: str, limit: float) -> Iterator[TerminalBar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn("{task.completed:.1f} of at most {task.total:g} s  {task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield TerminalBar(progress, progress.add_task(description, total=limit))


def _in_jupyter() -> bool:
    """Whether output goes to a notebook: IPython runs in a kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
