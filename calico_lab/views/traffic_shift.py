"""A slider that shifts requests from one version to the other while a load runs."""

from __future__ import annotations

import html
import time
from functools import cached_property
from typing import Any

from calico_lab.lab import Lab
from calico_lab.lessons import canary
from calico_lab.lessons.shares import Shares
from calico_lab.views.panel import Panel, picture, spoken
from calico_lab.views.progress import WIDGET
from calico_lab.views.weights_plot import WeightsPlot

# The load ends by itself: after so long, in bursts that are each counted.
SECONDS = 20.0
BURST = 200


class TrafficShift(Panel):
    """The slider and its load. ``send`` shifts and sends without it, where there are no widgets."""

    def __init__(self, lab: Lab, address: str) -> None:
        self._lab, self._address = lab, address
        super().__init__()

    def __repr__(self) -> str:
        return (
            f"A slider that shifts requests to version 2 while a load runs, for {SECONDS:g} seconds.\n"
            "Where no slider is shown: TrafficShift(lab, address).send(v2=30, requests=200)"
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), WIDGET: self.widget._repr_mimebundle_()[WIDGET]}

    def send(self, v2: int, requests: int = BURST) -> Shares:
        """Give version 2 this share, in percent, send requests, and return how the versions shared them."""
        canary.shift(self._lab, v2)
        return canary.send(self._lab, self._address, requests)

    @cached_property
    def widget(self) -> Any:
        """The slider, the button under it, and what came of the last burst."""
        import ipywidgets

        self.button.on_click(lambda _button: self.start())
        return ipywidgets.VBox([self.slider, self.button, self.status, self.picture])

    @cached_property
    def slider(self) -> Any:
        """The share of version 2; the arrow keys move it when it has the focus."""
        import ipywidgets

        return ipywidgets.IntSlider(
            value=10, min=0, max=100, step=5, description="Version 2, %", continuous_update=False,
            style={"description_width": "7em"}, layout=ipywidgets.Layout(width="32em"),
        )  # fmt: skip

    @cached_property
    def button(self) -> Any:
        """Starts the load, by mouse or by Enter when it has the focus."""
        import ipywidgets

        layout = ipywidgets.Layout(margin="6px 0 0 7.5em")
        return ipywidgets.Button(description="Send requests", button_style="primary", layout=layout)

    @cached_property
    def status(self) -> Any:
        """What goes on, or went wrong, in words; screen readers say it when it changes."""
        import ipywidgets

        return ipywidgets.HTML(spoken("Start the load, then move the slider."))

    @cached_property
    def picture(self) -> Any:
        """The last burst against the weights."""
        return picture()

    def work(self) -> None:
        """Send bursts, each by the weights that the slider then has, until the time is over."""
        deadline = time.monotonic() + SECONDS
        shares = self._burst(None)
        while (left := deadline - time.monotonic()) > 0:
            self.status.value = spoken(f"{html.escape(repr(shares))}<br>The load ends in {left:.0f} seconds.")
            shares = self._burst(shares)
        self.status.value = spoken(f"{html.escape(repr(shares))}<br>The load has ended.")

    def _burst(self, before: Shares | None) -> Shares:
        share = self.slider.value
        unchanged = before is not None and before.weights["v2"] == share
        shares = canary.send(self._lab, self._address, BURST) if unchanged else self.send(share)
        self.picture.value = WeightsPlot(shares).png()
        self.picture.layout.display = "block"
        return shares
