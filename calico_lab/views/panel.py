"""What panels of widgets have in common: a button whose work runs beside other cells, words, and pictures."""

from __future__ import annotations

import html
import threading
from typing import Any

from calico_lab.errors import CalicoLabError


class Panel:
    """A panel with a ``button`` and a ``status``; a subclass says in :meth:`work` what the button does."""

    button: Any
    status: Any

    def __init__(self) -> None:
        self._running = threading.Lock()

    def work(self) -> None:
        """Do what the button is for, in a thread of its own; what goes wrong is said in the status."""
        raise NotImplementedError

    def start(self) -> threading.Thread | None:
        """Work in a thread of its own, so that other cells can run; nothing while that is going on."""
        if not self._running.acquire(blocking=False):
            return None
        self.button.disabled = True
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        try:
            self.work()
        except CalicoLabError as error:
            self._say_error(str(error))
        except Exception as error:  # in a thread nobody else would hear of it
            self._say_error(f"{type(error).__name__}: {error}")
        finally:
            self.button.disabled = False
            self._running.release()

    def _say_error(self, text: str) -> None:
        said = html.escape(text).replace("\n", "<br>")
        self.status.value = spoken(f"<b>That did not work.</b> {said}")


def picture() -> Any:
    """Return an image that is not seen before there is one."""
    import ipywidgets

    return ipywidgets.Image(format="png", layout=ipywidgets.Layout(display="none", width="100%", max_width="768px"))


def spoken(text: str) -> str:
    """Return HTML that screen readers say when it changes."""
    return f'<div role="status" aria-live="polite" style="line-height: 1.5">{text}</div>'
