"""Nothing in the repository belongs to one machine."""

import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.architecture

ROOT = Path(__file__).resolve().parents[2]
# Spelled in pieces, so that this file is scanned like every other.
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "py" + "torch.org/whl", "docker" + ".io", "ghcr" + ".io", "quay" + ".io"]
FOLDERS = ["/" + folder + "/" for folder in ("work", "root", "home", "Users", "mnt", "workspace")]
BOUND = re.compile("|".join([*map(re.escape, HOSTS), *(r"(?<![\w.~}/-])" + re.escape(f) for f in FOLDERS)]), re.IGNORECASE)
BYTES = {".onnx", ".npz", ".png", ".woff2", ".ico", ".parquet", ".gz"}


def tied(text: str) -> list[str]:
    """Lines of ``text`` that name a package registry or an absolute path of somebody's machine."""
    return [line.strip() for line in text.splitlines() if BOUND.search(line)]


def tracked() -> list[Path]:
    """Every file that git tracks and that still exists."""
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout, so there is no list of the repository's files")
    return [path for path in map(ROOT.joinpath, listing.stdout.split("\0")) if path.is_file()]


def test_no_file_is_tied_to_a_machine() -> None:
    """No tracked text names a registry host or somebody's folder."""
    texts = [path for path in tracked() if path.suffix not in BYTES]
    found = {path.relative_to(ROOT).as_posix(): lines for path in texts if (lines := tied(path.read_text(errors="replace")))}
    assert found == {}


def test_no_nouns_that_say_nothing() -> None:
    """No module is called utils, helpers, common or base_*."""
    empty = re.compile(r"(^|_)(utils?|helpers?|common|misc)$|^base(_|$)")
    assert [p.name for p in tracked() if p.suffix == ".py" and empty.search(p.stem)] == []


@pytest.mark.parametrize("line", [f"--index-url https://{HOSTS[0]}/simple", f"cd {FOLDERS[0]}main", f"P={FOLDERS[2]}me/riskd"])
def test_the_scan_sees_a_tie(line: str) -> None:
    """A registry and a home folder are found wherever they stand in a line."""
    assert tied("first\n" + line) == [line]


@pytest.mark.parametrize(
    "line", [f"COPY . .{FOLDERS[0]}", "/opt/riskd/bin/riskd", "https://example.org/a/home/b", f"$HOME{FOLDERS[0]}x"]
)
def test_the_scan_lets_other_paths_pass(line: str) -> None:
    """Relative paths, installed paths and addresses are nobody's folder."""
    assert tied(line) == []
