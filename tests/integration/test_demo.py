"""The demo as a person starts it: a process, a terminal or none, and an exit code that can be relied on."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

LIMIT_S = 60
COMMAND = (sys.executable, "-c", "from fillbook.app.cli import main; main()", "demo")


def environment(temporary: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "80", "NO_COLOR": "1", **more}


def test_the_demo_ends_with_books_that_agree_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Whatever the environment says of a real installation is not used."""
    elsewhere = environment(
        tmp_path,
        FILLBOOK_DATABASE_URL=f"sqlite:///{tmp_path}/real.db",
        FILLBOOK_DATA_DIR=str(tmp_path / "real"),
        FILLBOOK_TRUSTED_PROXIES="10.0.0.1",
    )
    done = subprocess.run(
        [*COMMAND, "--once"], env=elsewhere, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The books agree with the exchange to the last digit." in done.stdout
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_is_put_away_when_it_is_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--once"], env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "One alert" in line:
                break
        demo.send_signal(number)
        rest = demo.stdout.read()
        assert demo.wait(LIMIT_S) == 130
    assert "The demo has ended" in rest
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [*COMMAND, "--once", "--port", str(port)],
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith(f"fillbook: Port {port} cannot be used")
    assert list(tmp_path.iterdir()) == []
