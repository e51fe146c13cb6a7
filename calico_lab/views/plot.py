"""What every plot is: a picture in PNG of known size, and a text that says the same where it is the same each run."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from calico_lab.views import style
from calico_lab.views.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Plot:
    """The base of the plots. A plot says how high it is, and draws itself on a figure of that size."""

    height = 3.8

    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw on an empty figure."""
        raise NotImplementedError

    def figure(self) -> Figure:
        """Return the picture as a figure of matplotlib's, drawn for the chosen theme."""
        # Without pyplot: no state that outlives the picture, and half of its time to import.
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        theme = style.theme()
        with style.matplotlib_settings(theme):
            size = (style.WIDTH_INCHES, self.height)
            layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.1)
            figure = Figure(figsize=size, dpi=style.PIXELS_PER_INCH, facecolor=theme.paper, layout=layout)
            FigureCanvasAgg(figure)
            self.draw(figure, theme)
        return figure

    def png(self) -> bytes:
        """Draw the picture."""
        picture = io.BytesIO()
        figure = self.figure()
        with style.matplotlib_settings(style.theme()):
            figure.savefig(picture, format="png", facecolor=figure.get_facecolor())
        return picture.getvalue()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        shown = style.SHOWN_PER_INCH
        return self.png(), {"width": int(style.WIDTH_INCHES * shown), "height": int(self.height * shown)}
