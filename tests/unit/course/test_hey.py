import pytest

from calico_lab.errors import ReportError
from calico_lab.tools import hey

# As hey 0.1.4 prints it, shortened by the histogram.
SUMMARY = """
Summary:
  Total:	0.1809 secs
  Slowest:	0.0904 secs
  Fastest:	0.0008 secs
  Average:	0.0441 secs
  Requests/sec:	497.4280
  
  Total data:	450 bytes
  Size/request:	5 bytes

Latency distribution:
  10% in 0.0127 secs
  95% in 0.0863 secs
  0% in 0.0000 secs

Details (average, fastest, slowest):
  DNS+dialup:	0.0001 secs, 0.0008 secs, 0.0904 secs

Status code distribution:
  [200]	77 responses
  [503]	13 responses



"""  # noqa: W293
ERRORS = """Error distribution:
  [4]	Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused

"""
NOTHING_ANSWERED = """
Summary:
  Total:	0.0005 secs
  Slowest:	0.0000 secs
  Fastest:	0.0000 secs
  Average:	 NaN secs
  Requests/sec:	7966.5881
  

Status code distribution:

"""  # noqa: W293
CSV = """response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset
0.0131,0.0000,0.0000,0.0000,0.0130,0.0001,200,0.3091
0.3221,0.0001,0.0000,0.0000,0.3218,0.0002,503,0.0004
"""


def test_counts_by_status():
    report = hey.parse(SUMMARY)
    assert report.statuses == {200: 77, 503: 13}
    assert (report.answered, report.sent) == (90, 90)


def test_times():
    report = hey.parse(SUMMARY)
    assert (report.fastest, report.average, report.slowest) == (0.0008, 0.0441, 0.0904)
    assert (report.total_seconds, report.requests_per_second) == (0.1809, 497.428)


def test_percentiles_that_hey_has_no_value_for_are_left_out():
    assert hey.parse(SUMMARY).latencies == {10: 0.0127, 95: 0.0863}


def test_what_failed_was_sent_but_not_answered():
    report = hey.parse(SUMMARY + ERRORS)
    assert (report.answered, report.sent) == (90, 94)


def test_a_run_without_any_answer():
    report = hey.parse(NOTHING_ANSWERED + ERRORS)
    assert (report.answered, report.sent, report.statuses) == (0, 4, {})


def test_as_a_table():
    frame = hey.parse(SUMMARY + ERRORS).frame()
    assert frame["requests"].to_dict() == {"200": 77, "503": 13, "no answer": 4}


def test_its_text_tells_counts_and_no_times():
    assert repr(hey.parse(SUMMARY)) == "90 requests sent: 77 with status 200, 13 with status 503"


def test_its_text_tells_what_got_no_answer():
    assert "4 without an answer (Get " in repr(hey.parse(NOTHING_ANSWERED + ERRORS))


@pytest.mark.parametrize("text", ["", "hey: command not found", CSV, SUMMARY.replace("Total:", "Sum:")])
def test_anything_else_is_not_a_summary(text):
    with pytest.raises(ReportError):
        hey.parse(text)


def test_csv_is_a_row_for_each_request_in_order():
    frame = hey.parse_csv(CSV)
    assert frame["status-code"].tolist() == [503, 200]
    assert frame["offset"].is_monotonic_increasing


def test_a_summary_is_not_csv():
    with pytest.raises(ReportError):
        hey.parse_csv(SUMMARY)


@pytest.mark.parametrize(("n", "c", "sent"), [(100, 100, 100), (100, 30, 90), (200, 50, 200), (7, 1, 7)])
def test_hey_sends_a_multiple_of_its_workers(n, c, sent):
    assert hey.requests_sent(n, c) == sent


@pytest.mark.parametrize(("n", "c"), [(10, 20), (10, 0)])
def test_hey_refuses_fewer_requests_than_workers(n, c):
    with pytest.raises(ValueError, match="refuses"):
        hey.requests_sent(n, c)
