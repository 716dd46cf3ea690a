#!/usr/bin/env python3
"""The `gmr` commands of the documents, block by block as people paste them, against a live queue-server."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import harness
import reports

GMR = os.environ["GMR_COMMAND"]
DOCS = pathlib.Path(os.environ["GMR_DOCS"])
SECONDS = 300  # for a block on a busy machine
COMMAND = re.compile(r"^(?:.*[|;&] *)?gmr [a-z]", re.M)
# What a journal has of a report: a line that is cut where journald cuts it.
JOURNAL_CUT = 49152


def blocks():
    """Those of a shell that use gmr, with the file that has them."""
    for page in sorted(DOCS.glob("*.md")):
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.M | re.S):
            if COMMAND.search(block):
                yield page.name, block


class Documents(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gmr-documents-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.tools = self.folder / "bin"
        self.tools.mkdir()
        (self.tools / "gmr").symlink_to(GMR)
        self.tool("sleep", "exec /usr/bin/env -i /bin/sleep 0.2")  # instead of 5 s
        self.tool("journalctl", f"exec cat {self.folder}/journal")
        (self.folder / "orders").mkdir()

    def tool(self, name, line, folder=None):
        path = (folder or self.tools) / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def prepare_reports(self, server):
        """What earlier commands of the reader have left: a report in a file, and two in the journal."""
        made = subprocess.run([GMR, "report", "--format", "json", str(server.process.pid)], capture_output=True, text=True,
                              timeout=SECONDS, check=True).stdout
        (self.folder / "report.json").write_text(made)
        with open(self.folder / "journal", "w") as journal:
            for _ in range(2):
                line = made.rstrip("\n")
                while line:
                    entry = {"MESSAGE": line[:JOURNAL_CUT], "_PID": "7"}
                    line = line[JOURNAL_CUT:]
                    if line:
                        entry["_LINE_BREAK"] = "line-max"
                    journal.write(json.dumps(entry) + "\n")

    def run_block(self, block, server, socket):
        """With the names of this machine instead of those of the page. Returns what it has printed."""
        pid = str(server.process.pid)
        script = re.sub(r"\b(gmr report(?: --format json)?) (?:SERVICE|orders|4711)\b", rf"\1 {pid}", block)
        script = script.replace("/run/orders/report.sock", str(socket)).replace("~/orders", str(self.folder / "orders"))
        # By hand it takes longer until the next command than the program needs to start.
        script = script.replace("gmr report $!", "until gmr report $!; do /bin/sleep 0.1; done; kill $!")
        if "./echo" in script:
            # No exec: between two programs nobody handles the signal.
            self.tool("echo", "while :; do /bin/sleep 0.2; done", self.folder)
        environment = {**os.environ, "PATH": f"{self.tools}:{os.environ['PATH']}"}
        errors = self.folder / "errors"
        with open(errors, "a+") as stderr, subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, text=True,
                                                            env=environment, stdout=subprocess.PIPE, stderr=stderr,
                                                            start_new_session=True) as shell:
            try:
                out, _ = shell.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)
                self.fail(f"{script}: {errors.read_text()[-2000:]}")
        self.assertEqual(0, shell.returncode, f"{script}: {errors.read_text()[-2000:]}")
        return out

    def test_every_command_works(self):
        socket = self.folder / "report.sock"
        seen = set()
        with harness.Server(f"--oslo_reports.socket={socket}", *reports.PATIENT) as server:
            reports.wait_for(socket.exists, server.stderr)
            self.prepare_reports(server)
            for page, block in blocks():
                with self.subTest(page=page, block=block):
                    out = self.run_block(block, server, socket)
                    # Each prints something, or has put it into a file that it names.
                    for line in filter(COMMAND.match, block.splitlines()):
                        to = re.search(r"> *(\S+)", line)
                        shown = (self.folder / to[1]).read_text() if to else out
                        self.assertRegex(shown, r"Guru Meditation|\"schema\":|<!DOCTYPE html>|[Vv]erdict", line)
                        seen.add(re.search(r"gmr ([a-z]+)", line)[1])
        self.assertLessEqual({"report", "view", "explain", "run"}, seen)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
