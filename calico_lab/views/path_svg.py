"""The path of a request: the bastion on the left, the node's kernel and Envoy in the middle, the pods on the right."""

from __future__ import annotations

from calico_lab.lessons.counted import counted
from calico_lab.lessons.path import Path, Stop
from calico_lab.views.svg import Sheet

WIDTH, MARGIN = 960.0, 18.0
TOP = 64.0
BASTION_WIDTH = 140.0
NODE_X, NODE_WIDTH, HEADER = 212.0, 504.0, 40.0
KERNEL_X, KERNEL_WIDTH = NODE_X + 16, 190.0
ENVOY_X, ENVOY_WIDTH = NODE_X + 274, 214.0
CHIP_HEIGHT, ROW = 154.0, 26.0
POD_X = 790.0
POD_WIDTH = WIDTH - POD_X - MARGIN
POD_HEIGHT, POD_GAP = 48.0, 10.0
LINE = 30.0
WORDS_X = 236.0
MOST_PODS = 8


def draw(path: Path) -> str:
    """Return the picture as an SVG document."""
    sheet = Sheet(WIDTH, "The path of a request", repr(path))
    pods = path.pods[:MOST_PODS]
    height = max(HEADER + CHIP_HEIGHT + 16, len(pods) * (POD_HEIGHT + POD_GAP) - POD_GAP)
    middle = TOP + height / 2
    center = TOP + HEADER + (height - HEADER) / 2 - 4  # of what stands in the node's card
    legs = _legs(path)
    below = TOP + height + 62
    sheet.height = below + LINE * (len(legs) - 1) + 22
    sheet.box(0, 0, sheet.width, sheet.height, "paper", radius=10)
    sheet.text(MARGIN, 36, _finding(path), "title")
    sheet.box(NODE_X, TOP, NODE_WIDTH, height, "card")
    _draw_bastion(sheet, path, center)
    _draw_node(sheet, path, center)
    _draw_pods(sheet, path, pods, middle, center)
    _draw_way_back(sheet, TOP + height)
    for number, (who, words) in enumerate(legs):
        line = below + LINE * number
        sheet.number(MARGIN + 12, line - 5, number + 1)
        sheet.text(MARGIN + 36, line, who, "name")
        sheet.text(WORDS_X, line, words)
    return sheet.document()


def _finding(path: Path) -> str:
    nodes = sorted({pod.node for pod in path.pods if pod.node})
    pods = f"{counted(len(path.pods), 'pod')} on {counted(len(nodes), 'node')}"
    return f"A request for {path.destination}: one Envoy, {pods}"


def _legs(path: Path) -> list[tuple[str, str]]:
    """Return what happens at each number: where, and what."""
    translated = (
        f"nftables: {path.destination} becomes {' or '.join(path.translation.endpoints) or 'nobody'}, client kept"
        if path.translation is not None
        else "the node's kernel translates the destination (no shell here to look)"
    )
    return [
        ("bastion's kernel", f"{path.prefix} by way of {path.next_hop}: BGP session {path.learned_from}"),
        (f"{path.node}'s kernel", translated),
        ("Envoy", f"a connection of its own to a pod, and X-Forwarded-For: {path.client}"),
        ("and back", "the pod answers Envoy, Envoy the bastion; the kernel puts the gateway's address back"),
    ]


def _draw_bastion(sheet: Sheet, path: Path, line: float) -> None:
    sheet.box(MARGIN, line - 46, BASTION_WIDTH, 92, "host")
    center = MARGIN + BASTION_WIDTH / 2
    for row, (words, kind) in enumerate((("bastion", "name"), (path.client, ""), ("route by BGP", "small"))):
        sheet.text(center, line - 17 + 24 * row, words, kind, anchor="middle")


def _draw_node(sheet: Sheet, path: Path, center: float) -> None:
    sheet.text(KERNEL_X, TOP + 27, path.node or "no node", "name" if path.node else "wrong")
    sheet.text(NODE_X + NODE_WIDTH - 16, TOP + 27, path.next_hop, anchor="end")
    top = center - CHIP_HEIGHT / 2
    sheet.curve((MARGIN + BASTION_WIDTH, center), (KERNEL_X, center), "request")
    sheet.number((MARGIN + BASTION_WIDTH + NODE_X) / 2, center, 1)
    _chip(sheet, (KERNEL_X, top), KERNEL_WIDTH, "control", _kernel(path))
    lost = path.translation is not None and not path.translation.endpoints
    elsewhere = path.envoy.node != path.node
    if not lost:
        sheet.curve((KERNEL_X + KERNEL_WIDTH, center), (ENVOY_X, center), "request")
    sheet.number((KERNEL_X + KERNEL_WIDTH + ENVOY_X) / 2, center, 2)
    _chip(sheet, (ENVOY_X, top), ENVOY_WIDTH, "envoy off" if lost or elsewhere else "envoy", _envoy(path))


def _kernel(path: Path) -> list[tuple[str, str]]:
    lines = [("kernel", "name"), (path.destination, ""), ("becomes", "small")]
    if path.translation is None:
        return [*lines, ("Envoy's address", "")]
    endpoints = path.translation.endpoints
    return [*lines, (" or ".join(endpoints), "") if endpoints else ("nobody on this node", "wrong")]


def _envoy(path: Path) -> list[tuple[str, str]]:
    where = f"Envoy on {path.envoy.node}" if path.envoy.node != path.node else "Envoy"
    host, _, match = path.match.partition(" ")
    lines = [(where, "name"), (f"listens at {path.envoy.endpoint}", "small"), (host, ""), (match, "")]
    return [*lines, (path.policy, "name")]


def _chip(sheet: Sheet, corner: tuple[float, float], width: float, kind: str, lines: list[tuple[str, str]]) -> None:
    sheet.box(*corner, width, CHIP_HEIGHT, kind)
    first = corner[1] + (CHIP_HEIGHT - ROW * (len(lines) - 1)) / 2 + 5
    for row, (words, style) in enumerate(lines):
        sheet.text(corner[0] + width / 2, first + ROW * row, words, style, anchor="middle")


def _draw_pods(sheet: Sheet, path: Path, pods: tuple[Stop, ...], middle: float, center: float) -> None:
    start = (ENVOY_X + ENVOY_WIDTH, center)
    top = middle - (len(pods) * (POD_HEIGHT + POD_GAP) - POD_GAP) / 2
    for number, pod in enumerate(pods):
        y = top + number * (POD_HEIGHT + POD_GAP)
        sheet.curve(start, (POD_X - 2, y + POD_HEIGHT / 2), "deal", arrow=True)
        sheet.box(POD_X, y, POD_WIDTH, POD_HEIGHT, "pod")
        sheet.text(POD_X + POD_WIDTH / 2, y + 20, f"{pod.label} on {pod.node}", "small", anchor="middle")
        sheet.text(POD_X + POD_WIDTH / 2, y + 38, pod.endpoint, "small", anchor="middle")
    if len(path.pods) > len(pods):
        sheet.text(POD_X, top - 8, f"and {len(path.pods) - len(pods)} more", "small")
    if not pods:
        sheet.text(POD_X, middle, "no pod", "wrong")
    sheet.number((start[0] + NODE_X + NODE_WIDTH) / 2 + 20, start[1], 3)


def _draw_way_back(sheet: Sheet, bottom: float) -> None:
    y = bottom + 22
    sheet.curve((POD_X + POD_WIDTH / 2, y), (MARGIN + BASTION_WIDTH / 2, y), "back", arrow=True)
    sheet.number((NODE_X + POD_X) / 2, y, 4)
