import pytest

from calico_lab.local.gateway_api.model import Match, MatchType, Session
from calico_lab.local.gateway_api.rule_settings import retry_of, session_of, timeout_of
from calico_lab.local.gateway_api.traffic import Retry


@pytest.mark.parametrize(
    ("rule", "seconds"),
    [
        ({}, None),
        ({"timeouts": {"request": "0s"}}, 0),
        ({"timeouts": {"request": "10s", "backendRequest": "1m2s500ms"}}, 62.5),
        ({"timeouts": {"request": "10s", "backendRequest": "1s"}, "retry": {}}, 10),
        ({"timeouts": {"backendRequest": "1s"}, "retry": {}}, None),
    ],
)
def test_the_timeout_of_a_route(rule, seconds):
    assert timeout_of(rule) == seconds


@pytest.mark.parametrize(
    ("spec", "retry"),
    [
        ({}, Retry()),
        ({"attempts": 0}, Retry(number=0)),
        ({"codes": [500, 502]}, Retry(statuses=(500, 502))),
        ({"backoff": "100ms"}, Retry(base_interval=0.1, timeout=1)),
    ],
)
def test_retries_are_those_of_a_policy_but_what_the_rule_says(spec, retry):
    assert retry_of({"retry": spec, "timeouts": {"backendRequest": "1s"}}) == retry


def test_a_rule_without_retries_leaves_them_to_the_policy():
    assert retry_of({}) is None


@pytest.mark.parametrize(
    ("spec", "session"),
    [
        ({}, Session("httproute-ns-name-rule-0", path="/a")),
        ({"sessionName": "s", "type": "Header"}, Session("s", in_cookie=False)),
        (
            {"sessionName": "s", "absoluteTimeout": "1h", "cookieConfig": {"lifetimeType": "Permanent"}},
            Session("s", path="/a", lifetime=3600),
        ),
        ({"sessionName": "s", "absoluteTimeout": "1h"}, Session("s", path="/a")),
    ],
)
def test_a_session_has_a_name_and_a_cookie_the_path_of_the_match(spec, session):
    assert session_of(spec, "httproute/ns/name/rule/0", Match("/a")) == session


@pytest.mark.parametrize(("expression", "path"), [("/a/b/.*/c", "/a/b"), ("/.*", ""), ("/a[0-9]", "/a[0-9]")])
def test_the_cookie_of_a_regular_expression_is_for_what_goes_before_its_first_asterisk(expression, path):
    session = session_of({}, "rule", Match(expression, MatchType.REGULAR_EXPRESSION))
    assert session is not None
    assert session.path == path
