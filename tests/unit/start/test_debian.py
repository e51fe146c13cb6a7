from pathlib import Path

import pytest

from calico_lab.errors import LabError, MissingProgramError, UnsupportedHostError
from calico_lab.local.start import debian, programs
from calico_lab.local.start.debian import Source

DEB822 = """\
# The main mirror
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://tools.example/apt
Suites: stable
Components: main
"""


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822_sources_give_the_main_suite_of_the_release(apt: Path):
    (apt / "sources.list.d/debian.sources").write_text(DEB822)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    expected = Source("http://mirror.example/debian", "bookworm", ("main", "contrib"), keys)
    assert debian.machine_sources("bookworm", apt) == [expected]


def test_one_line_sources_with_options_are_read(apt: Path):
    (apt / "sources.list").write_text(
        "# deb http://old.example/debian bookworm main\n"
        "deb [ arch=amd64 signed-by=/keys.gpg ] http://mirror.example/debian bookworm main\n"
        "deb-src http://mirror.example/debian bookworm main\n"
    )
    expected = Source("http://mirror.example/debian", "bookworm", ("main",), "/keys.gpg")
    assert debian.machine_sources("bookworm", apt) == [expected]


def test_disabled_and_other_sources_are_left_out(apt: Path):
    (apt / "sources.list.d/debian.sources").write_text(
        DEB822.replace("URIs: http://mirror", "Enabled: no\nURIs: http://m")
    )
    assert debian.machine_sources("bookworm", apt) == []


def test_a_source_is_written_as_apt_reads_it(apt: Path):
    source = Source("http://mirror.example/debian", "bookworm", ("main",), "/keys.gpg")
    (apt / "sources.list").write_text(source.line() + "\n")
    assert debian.machine_sources("bookworm", apt) == [source]


def test_without_a_mirror_of_the_release_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "os_release", lambda: {"VERSION_CODENAME": "plan9"})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UnsupportedHostError, match="no mirror of its release plan9"):
        debian.fetch()
    assert list((tmp_path / "calico-lab").iterdir()) == []


def test_without_apt_the_machine_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UnsupportedHostError, match="no apt-get"):
        debian.fetch()


def test_what_apt_complains_about_is_told(tmp_path: Path):
    apt = debian._Apt(tmp_path)
    with pytest.raises(LabError, match="apt-get failed"):
        apt.update([Source("file:/nonexistent", "bookworm", ("main",))])


def test_missing_programs_are_all_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingProgramError, match="bird, birdc, hey, nft"):
        programs.find()
