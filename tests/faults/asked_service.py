"""A program that reports are asked of."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time


class Service:
    """A program that writes JSON reports to its standard error."""

    def __init__(self, command, group=None, environment=None):
        self.directory = tempfile.TemporaryDirectory(prefix="gmr-faults-")
        self.errors = pathlib.Path(self.directory.name) / "stderr"
        enter = (lambda: group.enter()) if group else None
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            preexec_fn=enter, env={**os.environ, **(environment or {})})
        self.said = []
        self.asked = self.process.pid  # or a child of what was started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()

    def wait_until(self, text):
        while True:
            line = self.process.stdout.readline().decode()
            assert line, f"the service ended with {self.process.wait()}: {self.errors.read_text()}"
            self.said.append(line.strip())
            if text in line:
                return line.strip()

    def wait_until_asleep(self, *names, within=60.0):
        """Until the threads of these names sleep in the kernel."""
        end, tasks, awake = time.monotonic() + within, pathlib.Path(f"/proc/{self.asked}/task"), set(names)
        while awake:
            assert time.monotonic() < end, f"{awake} did not fall asleep"
            for task in tasks.iterdir():
                name, _, rest = (task / "stat").read_text().partition("(")[2].rpartition(")")
                if name in awake and rest.split()[0] == "S":
                    awake.discard(name)
            time.sleep(0.001)

    def ask(self, within=15.0, meanwhile=None):
        """A report and how long it took."""
        size, begin = self.errors.stat().st_size, time.monotonic()
        os.kill(self.asked, signal.SIGUSR2)
        if meanwhile:
            meanwhile()
        while time.monotonic() - begin < within:
            assert self.process.poll() is None, f"the service ended with {self.process.returncode}"
            lines = self.errors.read_bytes()[size:]
            if lines.endswith(b"\n"):
                reports = [line for line in lines.splitlines() if line.startswith(b"{")]
                if reports:
                    return json.loads(reports[0]), time.monotonic() - begin
            time.sleep(0.002)
        raise AssertionError(f"no report within {within} s")

    def ask_for_text(self, within=15.0):
        """The same of a service that writes text."""
        size, begin = self.errors.stat().st_size, time.monotonic()
        self.process.send_signal(signal.SIGUSR2)
        while time.monotonic() - begin < within:
            text = self.errors.read_text(errors="replace")[size:]
            if "==== End of Guru Meditation" in text and text.endswith("=\n"):
                return text, time.monotonic() - begin
            time.sleep(0.002)
        raise AssertionError(f"no report within {within} s")

    def assert_lives(self):
        assert self.process.poll() is None, f"the service ended with {self.process.returncode}"
