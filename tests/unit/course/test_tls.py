from types import SimpleNamespace

import pandas as pd
import pytest

from calico_lab.completed_command import CompletedCommand
from calico_lab.errors import PrerequisiteError, ReportError
from calico_lab.lessons import tls
from calico_lab.lessons.certificates import Authority
from calico_lab.lessons.disturbance import Disturbance
from calico_lab.lessons.renewal import Renewal
from calico_lab.lessons.tls import Way
from calico_lab.views.key_holders_plot import KeyHoldersPlot
from calico_lab.views.renewal_plot import RenewalPlot

WWW = Authority().issue("www.example.com").certificate
READ = ("X-Forwarded-For", "X-Request-Id")


class Bastion:
    def __init__(self, output="", exit_code=0):
        self.done = CompletedCommand("", exit_code, output, "")

    def run(self, _command, **_options):
        return self.done


def said(code, pem=WWW.pem):
    return f"{tls._NEXT}\nCONNECTED(00000003)\n{pem}---\nVerify return code: 21 (x)\nVerify return code: {code} (x)\n"


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, "trusted"), (10, "expired"), (62, "for another name"), (20, "signed by nobody it knows"), (99, "code 99")],
)
def test_the_last_verdict_of_openssl_counts(code, verdict):
    (found,) = tls.handshakes(Bastion(said(code)), "192.0.2.1", ["www.example.com"])
    assert (found.certificate, found.verdict) == (WWW, verdict)


def test_a_connection_that_is_closed_shows_none():
    printed = said(0, pem="no peer certificate available\n")
    (found,) = tls.handshakes(Bastion(printed), "192.0.2.1", ["www.example.com"])
    assert (found.certificate, found.verdict) == (None, "closed in the handshake")


def test_a_bastion_without_openssl_is_told():
    with pytest.raises(PrerequisiteError, match="no openssl"):
        tls.handshakes(Bastion(exit_code=127), "192.0.2.1", ["www.example.com"])


def test_fewer_handshakes_than_names_are_told():
    with pytest.raises(ReportError):
        tls.handshakes(Bastion(said(0)), "192.0.2.1", ["www.example.com", "shop.example.com"])


def test_an_answer_that_is_no_echo_is_told():
    with pytest.raises(ReportError, match="no echo server"):
        tls.ways(SimpleNamespace(bastion=Bastion("<html>")), "192.0.2.1", ["https://www.example.com/"])


def test_who_reads_and_who_holds_the_key():
    ended, passed = Way("www", WWW, False, READ), Way("private", WWW, True, ())
    assert str(ended) == "www: the key is at the gateway, the gateway writes 2 headers into it, the pod gets plain HTTP"
    assert str(passed) == "private: the key is at the pod, the gateway writes nothing into it, the pod gets TLS"
    (axes,) = KeyHoldersPlot((ended, passed)).figure().axes
    drawn = [text.get_text() for text in axes.texts]
    assert drawn.count("TLS") == 3
    assert drawn.count("plain HTTP") == 1
    assert drawn.count("has the key,\nreads the request") == 2
    assert "reads only the name" in drawn


def renewal(*serials, statuses=(200, 200)):
    answers = pd.DataFrame({"offset": [0.1 * number for number in range(len(statuses))], "status": statuses})
    return Renewal(Disturbance(2, answers, 0.1, 0.2), tuple((0.1, serial) for serial in serials))


def test_the_text_of_a_renewal_has_each_certificate_once():
    assert repr(renewal(1, 1, 3, 3)).splitlines() == [
        "2 requests sent, and every one of them was served",
        "clients were shown serial 1, then serial 3",
    ]


def test_a_gap_and_a_way_back_are_told():
    assert repr(renewal(1, None, 3, 1)).endswith("serial 1, then no certificate, then serial 3, then serial 1")


@pytest.mark.parametrize(
    ("serials", "statuses", "title"),
    [
        ((1, 3), (200, 200), "2 requests, none lost; one change of the certificate"),
        ((1, None, 3), (200, 503), "2 requests, 1 lost; 2 changes"),
        ((1, 1), (200, 200), "2 requests, none lost; the certificate stays"),
    ],
)
def test_the_picture_of_a_renewal_says_what_is_found(serials, statuses, title):
    above, _below = RenewalPlot(renewal(*serials, statuses=statuses)).figure().axes
    assert above.get_title(loc="left") == title
    rows = [label.get_text() for label in above.get_yticklabels()]
    assert len(rows) == len(set(serials))
