"""`fillbook reconcile` as a program of its own, beside a server and without one."""

import asyncio
import json
import os
import sys

from support.process import Process
from support.world import MASTER_KEY

PROGRAM = "from fillbook.app.cli.main import main; main()"


async def fillbook(process: Process, *words: str) -> tuple[int, str]:
    """Run the program on the process's data directory; its exit code and all that it said."""
    environment = os.environ | {
        "FILLBOOK_DATA_DIR": str(process.data_dir),
        "FILLBOOK_MASTER_KEYS": MASTER_KEY,
        "FILLBOOK_VENUE_URLS": json.dumps({"binance:demo": process.exchange_url}),
        "FILLBOOK_DATABASE_URL": process.database_url,
    }
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *words,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(program.communicate(), 60)
    assert program.returncode is not None
    return program.returncode, said.decode()


async def test_the_command_works_without_a_server_and_beside_one(process: Process) -> None:
    await process.world.account("acc")
    code, said = await fillbook(process, "reconcile")
    assert (code, "Book and exchange agree." in said) == (0, True), said
    await process.start()
    code, said = await fillbook(process, "reconcile", "--account", "acc")
    assert (code, "Book and exchange agree." in said) == (0, True), said
    code, said = await fillbook(process, "reconcile", "--account", "nobody")
    assert (code, said.strip()) == (1, "fillbook: There is no account nobody.")
