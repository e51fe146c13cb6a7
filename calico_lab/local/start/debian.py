"""BIRD 1.6.8, hey and nft from Debian's packages, unpacked into the cache; nothing is installed.

apt does the work, as an ordinary user too: it gets a state folder of its own, reads the machine's own mirror and keys,
checks the signatures and downloads what the machine lacks (the programs and the libraries they need). Where the
machine's release no longer has BIRD 1.6.8 (Debian 13), suite bookworm of that same mirror has it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calico_lab.errors import LabError, MissingProgramError, UnsupportedHostError
from calico_lab.local.start import programs

PACKAGES = {"bird": "1.6.8", "hey": "0.1.4", "nftables": ""}  # with the version that the course tells of
FALLBACK_SUITE = "bookworm"
TIME_LIMIT_SECONDS = 300
_DEBIAN_COMPONENTS = {"main", "universe"}


@dataclass(frozen=True)
class Source:
    """One mirror of packages, as sources.list(5) describes it."""

    address: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    def line(self) -> str:
        """Return this source as a line of a sources.list."""
        options = f"[signed-by={self.signed_by}] " if self.signed_by else ""
        return f"deb {options}{self.address} {self.suite} {' '.join(self.components)}"


def fetch() -> Path:
    """Fetch and unpack what is not in the cache yet; returns the folder, to be used as a prefix of usr/.

    Raises ``UnsupportedHostError`` where there is no apt or no usable mirror, ``LabError`` when apt fails,
    ``MissingProgramError`` when the mirror has other versions.
    """
    unpacked = programs.unpacked_folder()
    if unpacked.exists():
        return unpacked
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnsupportedHostError(
            "BIRD, hey and nft are unpacked from Debian's packages, and this machine has no apt-get and dpkg-deb",
            remedy="use Debian 12 or 13, or Ubuntu 24.04",
        )
    cache = programs.cache_folder()
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as folder:
        archives = _download(Path(folder))
        _check_versions(archives)
        result = Path(folder, "unpacked")
        for archive in archives:
            _run(["dpkg-deb", "-x", str(archive), str(result)])
        _gather_libraries(result)
        _publish(result, unpacked)
    return unpacked


def machine_sources(codename: str, apt: Path = Path("/etc/apt")) -> list[Source]:
    """Return the machine's own mirrors of its release's main suite, in either format of sources.list(5)."""
    found: list[Source] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.suffix == ".list" and path.exists():
            found += _one_line_sources(path.read_text())
        elif path.suffix == ".sources":
            found += _deb822_sources(path.read_text())
    return [source for source in found if source.suite == codename and _DEBIAN_COMPONENTS & set(source.components)]


def policy(folder: Path, sources: Iterable[Source], packages: Iterable[str]) -> str:
    """Return what apt, reading ``sources`` alone, says of packages: which versions there are (apt-cache(8)).

    ``folder`` is made, for apt's state. Raises ``LabError`` when apt fails.
    """
    apt = _Apt(folder)
    apt.update(sources)
    return apt.policy(*packages)


def _download(folder: Path) -> list[Path]:
    codename = programs.os_release().get("VERSION_CODENAME", "")
    sources = machine_sources(codename)
    if not sources:
        raise UnsupportedHostError(
            f"apt's sources on this machine name no mirror of its release {codename or '(unknown)'}",
            remedy="add the mirror of your distribution to /etc/apt/sources.list",
        )
    apt = _Apt(folder)
    apt.update(sources)
    if not apt.has("bird", PACKAGES["bird"]):
        fallback = Source(sources[0].address, FALLBACK_SUITE, ("main",), sources[0].signed_by)
        apt.update([*sources, fallback])
    return apt.download(f"{package}={version}*" if version else package for package, version in PACKAGES.items())


_APT_CONFIGURATION = """\
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Debug::NoLocking "true";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
// Hooks that tidy up the machine's own cache.
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class _Apt:
    """apt with a state folder of its own, so that it needs no rights and changes nothing; see apt.conf(5)."""

    def __init__(self, folder: Path) -> None:
        self._sources = folder / "sources.list"
        self._archives = folder / "cache/archives"
        (folder / "lists/partial").mkdir(parents=True)
        (self._archives / "partial").mkdir(parents=True)
        self._configuration = folder / "apt.conf"
        self._configuration.write_text(_APT_CONFIGURATION.format(folder=folder))

    def update(self, sources: Iterable[Source]) -> None:
        self._sources.write_text("".join(f"{source.line()}\n" for source in sources))
        self._run("apt-get", "-q", "update")

    def has(self, package: str, version: str) -> bool:
        return f" {version}" in self.policy(package)

    def policy(self, *packages: str) -> str:
        return self._run("apt-cache", "policy", *packages)

    def download(self, packages: Iterable[str]) -> list[Path]:
        """Download packages and those dependencies that the machine lacks."""
        options = ("-q", "-y", "--download-only", "--no-install-recommends", "--reinstall")
        self._run("apt-get", *options, "install", *packages)
        return sorted(self._archives.glob("*.deb"))

    def _run(self, command: str, *arguments: str) -> str:
        return _run([command, "-c", str(self._configuration), *arguments])


def _check_versions(archives: Iterable[Path]) -> None:
    fields = [_run(["dpkg-deb", "-W", "--showformat", "${Package} ${Version}", str(path)]) for path in archives]
    versions = dict(field.split() for field in fields)
    for package, wanted in PACKAGES.items():
        found = versions.get(package, "none")
        if package not in versions or not found.startswith(wanted):
            raise MissingProgramError(
                f"this machine's mirror has {package} {found}, and the course is about {wanted or 'any version'}",
                remedy="use a mirror of Debian 12, which has it",
            )


def _gather_libraries(unpacked: Path) -> None:
    """Link the libraries into one folder, whichever the architecture's own is called."""
    libraries = unpacked / "libraries"
    libraries.mkdir()
    for path in [*unpacked.glob("usr/lib/*/lib*.so.*"), *unpacked.glob("lib/*/lib*.so.*")]:
        (libraries / path.name).symlink_to(Path("..", path.relative_to(unpacked)))


def _publish(result: Path, target: Path) -> None:
    """Move the finished folder into place at once; where another set-up was faster, its result stands."""
    try:
        result.rename(target)
    except OSError:
        if not target.exists():
            raise


def _one_line_sources(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words or words[0] != "deb":
            continue
        options = ""
        if words[1].startswith("["):
            end = next(index for index, word in enumerate(words) if word.endswith("]"))
            options = " ".join(words[1 : end + 1]).strip("[] ")
            words = [words[0], *words[end + 1 :]]
        signed_by = dict(option.split("=", 1) for option in options.split() if "=" in option).get("signed-by", "")
        address, suite, *components = words[1:]
        yield Source(address, suite, tuple(components), signed_by)


def _deb822_sources(text: str) -> Iterator[Source]:
    for stanza in text.split("\n\n"):
        lines = [line for line in stanza.splitlines() if not line.startswith(("#", " ", "\t")) and ":" in line]
        fields = {name.strip().lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes") == "no":
            continue
        for address in fields["uris"].split():
            for suite in fields["suites"].split():
                components = tuple(fields.get("components", "").split())
                yield Source(address, suite, components, fields.get("signed-by", ""))


def _run(arguments: list[str]) -> str:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(arguments)} did not end in {TIME_LIMIT_SECONDS} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise LabError(f"{arguments[0]} failed:\n{said}", remedy="check this machine's network and apt's sources")
    return done.stdout
