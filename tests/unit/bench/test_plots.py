"""Plots are drawings that can be read by an XML parser, with the values where they belong."""

from xml.etree import ElementTree

import pytest

from laptop.bench.plots import HEIGHT, WIDTH, Plot

SVG = "{http://www.w3.org/2000/svg}"


def plot(**lines: list[tuple[float, float]]) -> Plot:
    return Plot(title="a < b & c", across="jobs", up="ms", lines=lines)


def test_svg_is_xml_with_a_line_and_a_name_for_each_series() -> None:
    root = ElementTree.fromstring(plot(one=[(1, 10), (10, 100)], two=[(1, 5), (10, 2000)]).svg())  # noqa: S314 - ours
    assert len(root.findall(f"{SVG}polyline")) == 2
    assert {"a < b & c", "jobs", "ms", "one", "two"} <= {text.text for text in root.findall(f"{SVG}text")}


def test_svg_keeps_every_point_inside_and_in_order() -> None:
    root = ElementTree.fromstring(plot(flat=[(10, 500), (100, 510), (1000, 505)]).svg())  # noqa: S314 - ours
    points = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.findall(f"{SVG}circle")]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in points)


def test_svg_puts_more_higher() -> None:
    root = ElementTree.fromstring(plot(rising=[(1, 10), (2, 300)]).svg())  # noqa: S314 - ours
    low, high = (float(c.attrib["cy"]) for c in root.findall(f"{SVG}circle"))
    assert high < low


def test_svg_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="logarithmic"):
        plot(broken=[(1, 0)]).svg()
