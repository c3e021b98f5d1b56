"""The commands of the README and of the guide are run as they are printed, on ports and directories of the test."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 30
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the documents speak to a POSIX shell")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def blocks(document: Path, home: Path, port: int) -> list[str]:
    """The shell blocks, with this test's ports, directory and interpreter; `port` is the server's."""
    text = document.read_text()
    for printed, meant in (
        ("9001", str(free_port())),
        ("8000", str(port)),
        ("$HOME/fillbook-first", str(home)),
        (".venv/bin/fillbook", f"{BIN}/fillbook"),
        ("$PWD/.venv/bin", str(BIN)),
    ):
        text = text.replace(printed, meant)
    return [
        block
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        if "make " not in block
    ]


@contextmanager
def started(script: str, environment: Mapping[str, str], ready: str) -> Iterator[None]:
    """The last line of a script as a process, from the moment that `ready` stands in its output."""
    *setup, command = script.strip().splitlines()
    with subprocess.Popen(
        ["bash", "-c", "\n".join([*setup, f"exec {command}"])],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert any(ready in line for line in process.stdout), "it ended before it was ready"
            yield
        finally:
            process.terminate()
            process.communicate(timeout=LIMIT_S)


def run(script: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    return done.stdout


def documents_of(output: str) -> list[dict[str, Any]]:
    """The JSON answers that a script printed one after the other."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while (at := output.find("{", at)) >= 0:
        document, at = decoder.raw_decode(output, at)
        found.append(document)
    return found


@pytest.mark.parametrize("name", ["README.md", "docs/guides/first-alert.md"])
def test_the_first_alert_makes_a_position_as_it_is_printed(name: str, tmp_path: Path) -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FILLBOOK_")}
    environment |= {"PATH": f"{BIN}:{environment['PATH']}", "FILLBOOK_PORT": str(port)}
    simulator, server, *rest = blocks(ROOT / name, tmp_path, port)
    exports = "\n".join(line for line in server.splitlines() if line.startswith("export"))
    admin, serve = server.rstrip().rsplit("\n", 1)
    with started(simulator, environment, "ready"):
        token = run(admin, environment).split()[-1]
        with started(f"{exports}\n{serve}", environment, "Application startup complete"):
            script = "\n".join(rest).replace("fbk_...", token)
            before, after = script.split("export KEY=...\n")
            made = documents_of(run(before, environment))
            key = next(document["webhook_key"] for document in made if "webhook_key" in document)
            functions = "\n".join(
                line for line in before.splitlines() if line.startswith(("export ", "api()"))
            )
            answers = documents_of(run(f"{functions}\nexport KEY={key}\n{after}", environment))
            wanted = f"{functions}\nuntil api GET /positions | grep -q BTC/USDT:USDT; do :; done"
            run(wanted, environment)
    (alert, *_) = [answer for answer in answers if "signal_id" in answer]
    assert alert["order_logs"][0]["status"] == "COMPLETED"
