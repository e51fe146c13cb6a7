"""A panel to try round robin with: set pods, requests, connections, Envoy workers and policy, run, and watch."""

from __future__ import annotations

import html
from functools import cached_property
from typing import Any

from calico_lab.lab import Lab
from calico_lab.lessons import experiment
from calico_lab.lessons.evenness import Evenness
from calico_lab.lessons.experiment import LIMITS, POLICIES, Seen, Settings
from calico_lab.views.order_plot import OrderPlot
from calico_lab.views.panel import Panel, picture, spoken
from calico_lab.views.progress import WIDGET
from calico_lab.views.requests_plot import RequestsPlot

LABELS = {
    "replicas": "Pods",
    "requests": "Requests",
    "concurrency": "At the same time",
    "workers": "Envoy workers",
    "policy": "Policy",
}
SHOWN_IN_ORDER = 120
BLURRED = "Of requests at the same time, the pods' logs do not tell in which order Envoy dealt them out."


class Playground(Panel):
    """The panel. ``run`` tries settings without it, where there are no widgets."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        super().__init__()

    def __repr__(self) -> str:
        return (
            "A playground: choose pods, requests, how many at the same time, Envoy workers and policy, then Run.\n"
            "Where no panel is shown: lab.playground().run(replicas=4, requests=100, concurrency=10, workers=2, "
            'policy="Random")'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), WIDGET: self.widget._repr_mimebundle_()[WIDGET]}

    def run(self, **settings: Any) -> Evenness:
        """Try settings (the fields of ``Settings``) and return how evenly the requests came out."""
        chosen = Settings(**settings)
        address = experiment.set_up(self._lab, chosen)
        return experiment.run(self._lab, chosen, address, lambda _seen: None).evenness

    @cached_property
    def widget(self) -> Any:
        """The panel as a widget: its fields in the order of the Tab key, then Run, then what came of it."""
        import ipywidgets

        self.button.on_click(lambda _button: self.start())
        left = ipywidgets.VBox([*self.fields.values(), self.button])
        return ipywidgets.VBox([ipywidgets.HBox([left, self.status]), self.bars, self.strip])

    @cached_property
    def fields(self) -> dict[str, Any]:
        """One field for each setting."""
        import ipywidgets

        style, layout = {"description_width": "9em"}, ipywidgets.Layout(width="20em")
        start = Settings()
        numbers = {
            name: ipywidgets.BoundedIntText(
                value=getattr(start, name), min=1, max=most, description=LABELS[name], style=style, layout=layout
            )
            for name, most in LIMITS.items()
        }
        policy = ipywidgets.Dropdown(
            options=POLICIES, value=start.policy, description=LABELS["policy"], style=style, layout=layout
        )
        return numbers | {"policy": policy}

    @cached_property
    def button(self) -> Any:
        """Run, by mouse or by Enter when it has the focus."""
        import ipywidgets

        layout = ipywidgets.Layout(margin="6px 0 0 9.5em")
        return ipywidgets.Button(description="Run", button_style="primary", tooltip="Send the requests", layout=layout)

    @cached_property
    def status(self) -> Any:
        """What goes on, or went wrong, in words; screen readers say it when it changes."""
        import ipywidgets

        layout = ipywidgets.Layout(margin="0 0 0 2em", width="34em")
        return ipywidgets.HTML(spoken("Choose, then Run."), layout=layout)

    @cached_property
    def bars(self) -> Any:
        """Requests for each pod."""
        return picture()

    @cached_property
    def strip(self) -> Any:
        """Which pod got which request."""
        return picture()

    def work(self) -> None:
        """Run what is set, and show it move."""
        settings = Settings(**{name: field.value for name, field in self.fields.items()})
        self.status.value = spoken("Setting up pods, Envoy and policy …")
        address = experiment.set_up(self._lab, settings)
        self._show(experiment.run(self._lab, settings, address, self._show_so_far))

    def _show_so_far(self, seen: Seen) -> None:
        self.status.value = spoken(f"{len(seen.sequence)} of {seen.settings.sent} requests answered …")
        self._draw(seen)

    def _show(self, seen: Seen) -> None:
        self._draw(seen)
        said = html.escape(repr(seen.evenness)).replace("\n", "<br>")
        blurred = f"<br>{BLURRED}" if seen.settings.concurrency > 1 else ""
        self.status.value = spoken(f"<b>{seen.settings.policy}.</b> {said}{blurred}")

    def _draw(self, seen: Seen) -> None:
        if not seen.sequence:
            return
        self.bars.value = RequestsPlot(seen.evenness).png()
        self.strip.value = OrderPlot.of(seen.sequence[-SHOWN_IN_ORDER:], seen.settings.replicas).png()
        self.bars.layout.display = self.strip.layout.display = "block"
