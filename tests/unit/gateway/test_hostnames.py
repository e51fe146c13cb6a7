import pytest

from calico_lab.local.gateway_api.hostnames import at_listener, covers


@pytest.mark.parametrize(
    ("pattern", "hostname", "expected"),
    [
        ("*", "www.example.com", True),
        ("www.example.com", "www.example.com", True),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "a.b.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "wwwexample.com", False),
        ("*.example.com", "*.b.example.com", True),
        ("*.b.example.com", "*.example.com", False),
    ],
)
def test_a_wildcard_stands_for_one_label_or_more(pattern, hostname, expected):
    assert covers(pattern, hostname) is expected


@pytest.mark.parametrize(
    ("route", "listener", "others", "expected"),
    [
        ([], "", [], ["*"]),
        ([], "www.example.com", [], ["www.example.com"]),
        (["b.example.com", "a.example.com"], "", [], ["a.example.com", "b.example.com"]),
        (["a.example.com", "a.example.org"], "*.example.com", [], ["a.example.com"]),
        (["*.example.com"], "a.example.com", [], ["a.example.com"]),
        (["a.example.com"], "b.example.com", [], []),
        (["a.example.com", "b.example.com"], "", ["b.example.com"], ["a.example.com"]),
    ],
)
def test_a_route_is_reached_by_what_it_shares_with_the_listener(route, listener, others, expected):
    assert at_listener(route, listener, others) == expected
