"""The page of a learner's results: hers alone, complete in itself, harmless, and without her secrets."""

import base64
import json
import re

import nbformat
import pytest
from nbformat import v4

from calico_lab import course_notebooks
from calico_lab.errors import ReportError
from calico_lab.lessons import results, secrets
from calico_lab.lessons.checks import Verdicts, verdict
from calico_lab.views import report
from calico_lab.views.guide_progress import GuideProgress

PNG = base64.b64encode(b"\x89PNG not really").decode()


def notebook(path, *outputs, heading="## Test", source="look()"):
    cell = v4.new_code_cell(source, execution_count=1, outputs=list(outputs))
    cells = [v4.new_markdown_cell("# My notebook"), v4.new_markdown_cell(heading), cell, v4.new_code_cell("later()")]
    nbformat.write(v4.new_notebook(cells=cells), path)


def shown(**data):
    return v4.new_output("display_data", {kind.replace("_", "/"): content for kind, content in data.items()})


def page(tmp_path, *outputs, **options):
    notebook(tmp_path / "mine.ipynb", *outputs, **options)
    return report.write(tmp_path, None, None).read_text()


def test_plots_and_results_stand_under_their_headings(tmp_path):
    text = page(
        tmp_path,
        shown(image_png=PNG, text_plain="100 requests"),
        shown(text_html="<table><tr><td>25</td></tr></table>", text_plain="25"),
        v4.new_output("stream", name="stdout", text="4 < 5"),
        v4.new_output("error", ename="LabError", evalue="no <lab>", traceback=[]),
    )
    assert "<h2>My notebook</h2><p>mine: 1 of 2 cells run, 1 failed</p><h3>Test</h3>" in text
    assert f'<img alt="100 requests" src="data:image/png;base64,{PNG}">' in text
    assert re.search(r"<table>(<tbody>)?<tr><td>25</td></tr>", text)
    assert "<pre>4 &lt; 5</pre>" in text
    assert '<pre class="failed">LabError: no &lt;lab&gt;</pre>' in text


def test_a_course_notebook_counts_when_it_was_run(tmp_path):
    """As it is copied it has the course's outputs; one that a kernel has run has the numbers of its widgets."""
    course_notebooks.copy(tmp_path)
    with pytest.raises(ReportError, match="no notebook that was run"):
        report.write(tmp_path, None, None)
    path = tmp_path / "02-round-robin.ipynb"
    document = json.loads(path.read_text())
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Quiz"}
    document["cells"][-2]["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": widget}]
    path.write_text(json.dumps(document))
    (taken,) = results.read(tmp_path, course_notebooks.source())
    assert (taken.name, taken.title, taken.run) == ("02-round-robin", "Round-robin load balancing", taken.cells)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<img src="http://example.com/x.png">',
        '<a href="javascript:alert(1)">x</a>',
        '<div style="background:url(http://example.com/x)">x</div>',
        "<style>@import 'http://example.com/x';</style>",
        '<iframe src="http://example.com"></iframe>',
        '<svg onload="alert(1)"></svg>',
        '<img src="data:text/html,<script>alert(1)</script>">',
    ],
)
@pytest.mark.parametrize("where", ["html", "text", "heading", "source"])
def test_nothing_runs_and_nothing_is_fetched(tmp_path, hostile, where):
    outputs = [shown(text_html=hostile) if where == "html" else shown(text_plain=hostile)]
    heading = f"## {hostile}" if where == "heading" else "## Test"
    text = page(tmp_path, *outputs, heading=heading, source=hostile if where == "source" else "look()")
    body = text.partition("<body>")[2]
    assert not re.search(r"<(script|iframe|svg|style|a)\b", body)
    assert not re.search(r"<[^>]*\s(onerror|onload|href)=", body)
    assert not re.search(r"<[^>]*(http://|javascript:|url\(|data:text)", body)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text


KEY = "-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        (KEY, "MIIsecret"),
        (f"client-key-data: {base64.b64encode(KEY.encode()).decode()}", "LS0tLS1CRUdJTi"),
        (f"tls.key: {base64.b64encode(KEY.encode()).decode()}", "LS0tLS1CRUdJTi"),
        (f"anything {JWT}", JWT),
        ("http://127.0.0.1:8888/lab?token=0123456789abcdef", "0123456789abcdef"),
        ("token: abcdef.0123456789abcdef", "0123456789abcdef"),
        ('{"password": "correct horse"}', "correct"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("https://me:hunter22@example.com/", "hunter22"),
    ],
)
@pytest.mark.parametrize("kind", ["text_html", "text_plain", "source", "alternative"])
def test_secrets_are_left_out_and_only_they(tmp_path, said, secret, kind):
    output = shown(image_png=PNG, text_plain=said) if kind == "alternative" else shown(text_plain="x")
    outputs = [shown(**{kind: f"before {said} after"})] if kind.startswith("text") else [output]
    text = page(tmp_path, *outputs, source=said if kind == "source" else "look()")
    assert secret not in text
    assert secrets.LEFT_OUT in text


@pytest.mark.parametrize("harmless", ["a token is asked for", "2 of 3 passed", "secret: none", "10.10.10.0/26", "eyJ"])
def test_what_is_no_secret_stays(harmless):
    assert secrets.left_out(harmless) == harmless


def progress(*done):
    steps = ["ip-pool", "bgp", "hey", "backend", "test", "clean-up"]
    found = [
        verdict.Verdict(
            verdict.Status.DONE if step in done else verdict.Status.NOT_YET, "", "it <is> so", step=step, title=step
        )
        for step in steps
    ]
    return GuideProgress(Verdicts(tuple(found)))


def test_progress_is_told_in_text():
    assert repr(progress("ip-pool", "bgp")) == (
        "2 of 5 steps of the guide are done\n"
        "Before you begin  ✓ ip-pool  ✓ bgp  · hey\n"
        "Demo              · backend  · test\n"
        "Clean-up          · clean-up\n"
        "Next: hey: not yet: it <is> so"
    )
    whole = progress("ip-pool", "bgp", "hey", "backend", "test")
    assert whole.next is None
    assert repr(whole).startswith("5 of 5")


def test_progress_as_html_says_the_same_escaped():
    html = progress("ip-pool")._repr_html_()
    assert "1 of 5 steps" in html
    assert "it &lt;is&gt; so" in html
    assert "<is>" not in html
    assert html.count('aria-label="done"') == 1


def test_a_file_that_is_no_notebook_is_told(tmp_path):
    (tmp_path / "broken.ipynb").write_text("{")
    with pytest.raises(ReportError, match="is no notebook"):
        report.write(tmp_path, None, None)


def test_a_page_that_cannot_be_written_is_told(tmp_path):
    notebook(tmp_path / "mine.ipynb")
    with pytest.raises(ReportError, match="cannot be written"):
        report.write(tmp_path, tmp_path / "none/page.html", None)
