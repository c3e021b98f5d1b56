"""One program per data directory."""

import os
from pathlib import Path

import pytest

from fillbook.fleet.directory_lock import DirectoryInUse, DirectoryLock


def test_a_second_owner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path), pytest.raises(DirectoryInUse, match=str(os.getpid())):
        DirectoryLock(tmp_path).acquire()
    with DirectoryLock(tmp_path):
        pass


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        DirectoryLock(tmp_path).acquire()
        os._exit(0)
    os.waitpid(child, 0)
    with DirectoryLock(tmp_path):
        pass
