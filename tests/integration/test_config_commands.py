"""`fillbook config` as it is run: what it writes, what it says, and what it leaves alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from fillbook.fleet.directory_lock import DirectoryLock
from support.process import Process
from support.world import MASTER_KEY

FILLBOOK = Path(sys.executable).parent / "fillbook"


def fillbook(
    data_dir: Path, *words: str, master_keys: str = MASTER_KEY
) -> "subprocess.CompletedProcess[str]":
    """The command line on a data directory."""
    environment = {**os.environ, "FILLBOOK_DATA_DIR": str(data_dir), "FILLBOOK_MASTER_KEYS": master_keys}
    return subprocess.run(
        [FILLBOOK, *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
async def old(process: Process) -> Path:
    """The data directory of a server that has run, with an account and a strategy."""
    account = await process.world.account_at_venue("acc")
    await process.world.strategy(account, leverage=3)
    await process.start()
    process.stop()
    return process.data_dir


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "new"


def test_what_one_server_writes_another_one_takes_and_writes_again(old: Path, new: Path) -> None:
    file, again = old / "config.json", new / "again.json"
    assert fillbook(old, "config", "export", "--output", str(file)).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    taken = fillbook(new, "config", "import", str(file))
    assert (taken.returncode, taken.stdout.splitlines()[:3]) == (
        0,
        ["users: 1", "api tokens: 0", "accounts: 1"],
    )
    assert fillbook(new, "config", "export", "--output", str(again)).returncode == 0
    assert again.read_bytes() == file.read_bytes()
    assert fillbook(new, "config", "export").stdout.encode() == file.read_bytes()


def test_a_file_that_is_written_over_is_whole_and_private(old: Path) -> None:
    file = old / "config.json"
    file.write_text("before")
    file.chmod(0o644)
    fillbook(old, "config", "export", "--output", str(file))
    assert orjson.loads(file.read_bytes())["format"] == "fillbook-config"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in old.glob(".config.json*")] == []


@pytest.mark.parametrize("harm", ["cut", "other key", "no key", "missing", "stranger"])
def test_what_cannot_be_taken_is_said_in_one_sentence_and_changes_nothing(
    old: Path, new: Path, harm: str
) -> None:
    file = old / "config.json"
    fillbook(old, "config", "export", "--output", str(file))
    keys = {"other key": "N" * 43 + "=", "no key": ""}.get(harm, MASTER_KEY)
    match harm:
        case "cut":
            file.write_bytes(file.read_bytes()[:-200])
        case "missing":
            file.unlink()
        case "stranger":
            file.write_text('{"users": []}')
    refused = fillbook(new, "config", "import", str(file), master_keys=keys)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("fillbook: ")
    assert len(refused.stderr.splitlines()) == 1
    assert not (new / "fillbook.db").exists()
    assert not (new / "master.keys").exists()


def test_nothing_is_imported_beside_a_running_server(old: Path, new: Path) -> None:
    file = old / "config.json"
    fillbook(old, "config", "export", "--output", str(file))
    with DirectoryLock(new):
        refused = fillbook(new, "config", "import", str(file))
    assert refused.returncode == 1
    assert "stop it" in refused.stderr
