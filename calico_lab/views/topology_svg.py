"""The lab as a picture: the bastion on the left, the nodes on the right with what runs on them, and what joins them."""

from __future__ import annotations

from dataclasses import dataclass

from calico_lab.lessons.counted import counted
from calico_lab.lessons.topology import Gateway, Node, Pod, Topology
from calico_lab.views.svg import Sheet

WIDTH = 920.0
MARGIN, GAP = 18.0, 14.0
BASTION_X, BASTION_WIDTH, BASTION_HEIGHT = MARGIN, 178.0, 92.0
NODE_X, NODE_WIDTH, HEADER = 372.0, WIDTH - 372.0 - MARGIN, 42.0
ENVOY_X, ENVOY_WIDTH, ENVOY_HEIGHT = NODE_X + 16, 206.0, 78.0
POD_WIDTH = 136.0
POD_X = NODE_X + NODE_WIDTH - POD_WIDTH - 16
CHIP, CHIP_GAP = 32.0, 8.0
TITLE_HEIGHT, LINE = 58.0, 26.0
MOST_PODS, MOST_PODS_A_NODE = 12, 5

Point = tuple[float, float]


@dataclass(frozen=True)
class _Place:
    """Where a node's card stands, and the gateways whose Envoys it runs."""

    node: Node
    top: float
    height: float
    envoys: tuple[tuple[Gateway, Pod], ...]
    controllers: tuple[Pod, ...]
    pods: tuple[Pod, ...]
    hidden: int

    @property
    def header(self) -> float:
        return self.top + HEADER / 2

    def envoy_middle(self, number: int) -> float:
        return self.top + HEADER + number * (ENVOY_HEIGHT + CHIP_GAP) + ENVOY_HEIGHT / 2

    def pod_middle(self, number: int) -> float:
        return self.top + HEADER + number * (CHIP + CHIP_GAP) + CHIP / 2


def draw(lab: Topology) -> str:
    """Return the picture as an SVG document."""
    sheet = Sheet(WIDTH, "The lab", repr(lab))
    places = _places(lab)
    bottom = places[-1].top + places[-1].height if places else TITLE_HEIGHT + BASTION_HEIGHT
    bastion_y = (TITLE_HEIGHT + bottom - BASTION_HEIGHT) / 2
    notes = _notes(lab)
    legend = bottom + 34
    sheet.height = legend + 14 + LINE * len(notes)
    sheet.box(0, 0, sheet.width, sheet.height, "paper", radius=10)
    sheet.text(MARGIN, 36, _finding(lab), "title")
    _draw_cards(sheet, places)
    _draw_sessions(sheet, lab, places, bastion_y)
    _draw_requests(sheet, lab, places, bastion_y)
    _draw_bastion(sheet, lab, bastion_y)
    for place in places:
        _draw_chips(sheet, place)
    _draw_deals(sheet, places)
    _draw_legend(sheet, lab, legend)
    for number, note in enumerate(notes, 1):
        sheet.text(MARGIN, legend + LINE * number, note, "wrong")
    return sheet.document()


def _places(lab: Topology) -> list[_Place]:
    most = MOST_PODS_A_NODE if len(lab.pods) > MOST_PODS else MOST_PODS
    places: list[_Place] = []
    top: float = TITLE_HEIGHT
    for node in lab.nodes:
        here = [pod for pod in lab.pods if pod.node == node.name]
        shown = here if len(here) <= most else here[: most - 1]
        envoys = tuple((gateway, pod) for gateway in lab.gateways for pod in gateway.envoys if pod.node == node.name)
        controllers = tuple(pod for pod in lab.controllers if pod.node == node.name)
        hidden = len(here) - len(shown)
        left = len(envoys) * (ENVOY_HEIGHT + CHIP_GAP) + len(controllers) * (CHIP + CHIP_GAP)
        right = (len(shown) + bool(hidden)) * (CHIP + CHIP_GAP)
        height = HEADER + (max(left, right) + 6 if max(left, right) else 0)
        places.append(_Place(node, top, height, envoys, controllers, tuple(shown), hidden))
        top += height + GAP
    return places


def _finding(lab: Topology) -> str:
    parts = [counted(len(lab.nodes), "node")]
    if lab.bastion:
        parts.append(f"{lab.established} of {len(lab.nodes)} BGP sessions established")
    programmed = sum(gateway.programmed for gateway in lab.gateways)
    parts.append(counted(programmed, "gateway") if programmed else "no gateway yet")
    ready = sum(pod.ready for pod in lab.pods)
    parts.append(f"{ready} of {len(lab.pods)} pods ready" if lab.pods else "no pods yet")
    return ", ".join(parts)


def _draw_cards(sheet: Sheet, places: list[_Place]) -> None:
    for place in places:
        sheet.box(NODE_X, place.top, NODE_WIDTH, place.height, "card" if place.node.ready else "card off")
        line = place.header + 6
        sheet.text(ENVOY_X, line, place.node.name, "name")
        sheet.text(ENVOY_X + ENVOY_WIDTH, line, place.node.address, anchor="end")
        state = "Ready" if place.node.ready else "NotReady"
        sheet.text(NODE_X + NODE_WIDTH - 16, line, state, "small" if place.node.ready else "wrong", anchor="end")


def _draw_bastion(sheet: Sheet, lab: Topology, top: float) -> None:
    if not lab.bastion:
        return
    sheet.box(BASTION_X, top, BASTION_WIDTH, BASTION_HEIGHT, "host")
    middle = BASTION_X + BASTION_WIDTH / 2
    # Its own name, which a cloud may have drawn at random, is not shown.
    for number, (words, kind) in enumerate((("bastion", "name"), (lab.bastion_address, ""), ("BIRD, hey", "small"))):
        sheet.text(middle, top + 29 + 24 * number, words, kind, anchor="middle")


def _draw_sessions(sheet: Sheet, lab: Topology, places: list[_Place], bastion_y: float) -> None:
    if not lab.bastion:
        return
    for number, place in enumerate(places, 1):
        start = (BASTION_X + BASTION_WIDTH, bastion_y + BASTION_HEIGHT * number / (len(places) + 1))
        end = (NODE_X, place.header)
        sheet.curve(start, end, "bgp" if place.node.established else "bgp off")
        sheet.mark(NODE_X - 22, place.header, good=place.node.established)


def _draw_requests(sheet: Sheet, lab: Topology, places: list[_Place], bastion_y: float) -> None:
    """Draw the way of a request to each gateway, as the bastion's kernel would send it."""
    start = (BASTION_X + BASTION_WIDTH - 4, bastion_y + BASTION_HEIGHT - 16)
    for gateway in lab.gateways:
        for place in places:
            if place.node.name != gateway.via:
                continue
            numbers = [number for number, (owner, _pod) in enumerate(place.envoys) if owner == gateway]
            end = (ENVOY_X, place.envoy_middle(numbers[0])) if numbers else (NODE_X, place.top + place.height - 14)
            sheet.curve(start, end, "request")


def _draw_chips(sheet: Sheet, place: _Place) -> None:
    for number, (gateway, pod) in enumerate(place.envoys):
        top = place.envoy_middle(number) - ENVOY_HEIGHT / 2
        sheet.box(ENVOY_X, top, ENVOY_WIDTH, ENVOY_HEIGHT, "envoy" if pod.ready else "envoy off")
        lines = (("Envoy", "name"), (_shortened(gateway.name), "small"), (gateway.address or "no address yet", ""))
        for row, (words, kind) in enumerate(lines):
            sheet.text(ENVOY_X + ENVOY_WIDTH / 2, top + 24 + 22 * row, words, kind, anchor="middle")
    below = place.top + HEADER + len(place.envoys) * (ENVOY_HEIGHT + CHIP_GAP)
    for number, pod in enumerate(place.controllers):
        _chip(sheet, (ENVOY_X, below + number * (CHIP + CHIP_GAP)), ENVOY_WIDTH, pod, "control")
    for number, pod in enumerate(place.pods):
        _chip(sheet, (POD_X, place.pod_middle(number) - CHIP / 2), POD_WIDTH, pod, "pod")
    if place.hidden:
        line = place.pod_middle(len(place.pods)) + 6
        sheet.text(POD_X + POD_WIDTH / 2, line, f"and {place.hidden} more", "small", anchor="middle")


def _chip(sheet: Sheet, corner: Point, width: float, pod: Pod, kind: str) -> None:
    sheet.box(*corner, width, CHIP, kind if pod.ready else f"{kind} off")
    words, small = (pod.label, kind == "control") if pod.ready else (f"{pod.label}, not ready", True)
    sheet.text(corner[0] + width / 2, corner[1] + 22, words, "small" if small else "", anchor="middle")


def _draw_deals(sheet: Sheet, places: list[_Place]) -> None:
    """Draw an arrow from each Envoy to each pod that its gateway's routes lead to."""
    ends = {pod.label: (POD_X - 2, place.pod_middle(number)) for place in places for number, pod in _ready(place)}
    for place in places:
        for number, (gateway, pod) in enumerate(place.envoys):
            start = (ENVOY_X + ENVOY_WIDTH, place.envoy_middle(number))
            for label in gateway.backends if pod.ready else ():
                if label in ends:
                    sheet.curve(start, ends[label], "deal", arrow=True)


def _ready(place: _Place) -> list[tuple[int, Pod]]:
    return [(number, pod) for number, pod in enumerate(place.pods) if pod.ready]


def _draw_legend(sheet: Sheet, lab: Topology, line: float) -> None:
    x: float = MARGIN
    if lab.bastion:
        sheet.mark(x + 10, line - 5, good=True)
        sheet.text(x + 26, line, f"BGP established (AS {lab.as_number})", "small")
        x += 262
        if lab.established < len(lab.nodes):
            sheet.mark(x + 10, line - 5, good=False)
            sheet.text(x + 26, line, "no BGP session", "small")
            x += 160
    if any(gateway.via for gateway in lab.gateways):
        sheet.curve((x, line - 5), (x + 34, line - 5), "request")
        sheet.text(x + 46, line, "way of a request", "small")
        x += 200
    if any(gateway.backends for gateway in lab.gateways):
        sheet.curve((x, line - 5), (x + 34, line - 5), "deal", arrow=True)
        sheet.text(x + 44, line, "Envoy deals it to a pod", "small")


def _notes(lab: Topology) -> list[str]:
    """Return what is missing and could not be drawn."""
    notes = [] if lab.bastion else ["No bastion is known."]
    for gateway in lab.gateways:
        if not gateway.envoys:
            notes.append(f"Gateway {gateway.name} has no Envoy.")
        if not gateway.programmed:
            notes.append(f"Gateway {gateway.name} is not programmed.")
        if lab.bastion and gateway.address and not gateway.via:
            notes.append(f"The bastion has no route to {gateway.address} through a node.")
    waiting = [pod.label for pod in lab.pods if not pod.node]
    return notes + ([f"Without a node: {', '.join(waiting)}."] if waiting else [])


def _shortened(name: str, most: int = 25) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
