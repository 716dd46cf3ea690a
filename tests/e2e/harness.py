"""A queue-server of its own for a test: free ports, a directory that goes away, its output kept."""
import array
import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import termios
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("QUEUE_SERVER", str(HERE.parents[1] / "build/release/bin/queue-server"))
START_SECONDS = 60  # sanitized builds on a busy machine
STOP_SECONDS = 60


def run(*arguments, seconds=START_SECONDS, cwd=None):
    """Runs the program to its end: for command lines and configurations that it refuses."""
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=seconds, cwd=cwd,
                          check=False)


class Pipe:
    """Standard error as a pipe whose reader can pause. Small, so that a report does not fit."""

    SIZE = 4096

    def __init__(self):
        self.out, self.into = os.pipe()
        fcntl.fcntl(self.into, fcntl.F_SETPIPE_SZ, self.SIZE)
        self.content = b""
        self.reading = threading.Event()
        self.reading.set()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        while True:
            self.reading.wait()
            if not select.select([self.out], [], [], 0.01)[0] or not self.reading.is_set():
                continue
            some = os.read(self.out, 65536)
            if not some:
                return
            self.content += some

    def is_full(self):
        waiting = array.array("i", [0])
        fcntl.ioctl(self.out, termios.FIONREAD, waiting)
        return waiting[0] >= self.SIZE

    def close(self):
        """To be called when all who write are gone."""
        self.reading.set()
        os.close(self.into)
        self.thread.join()
        os.close(self.out)


class Server:
    """Serves while the with block runs; must then stop cleanly unless it was killed or has ended.

    Its standard error is a file, or `pipe`. It is started by the command `starter`, if there is one. What else is named
    goes to subprocess.Popen.
    """

    def __init__(self, *options, directory=None, pipe=None, starter=(), **how):
        self.options = options
        self.starter = starter
        self.pipe = pipe
        self.how = how
        self.owns_directory = directory is None
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="queue-server-"))
        self.trigger_file = None
        self.process = None
        self.http = self.websocket = None
        self.ended = False

    @classmethod
    def with_trigger_file(cls, *options, interval=0.1):
        server = cls(*options)
        server.trigger_file = server.directory / "triggers" / "report-now"
        server.trigger_file.parent.mkdir()
        server.options += (f"--oslo_reports.file_event_handler={server.trigger_file}",
                           f"--oslo_reports.file_event_handler_interval={interval}")
        return server

    @property
    def storage(self):
        return self.directory / "queues.db"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            self.remove()
            raise
        return self

    def start(self):
        command = [*self.starter, BINARY, "--http.port=0", "--websocket.port=0", f"--storage.path={self.storage}", *self.options]
        if "user" in self.how:
            os.chown(self.directory, self.how["user"], self.how["group"])
        with open(self.directory / "stdout", "w") as out, open(self.directory / "stderr", "a") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=self.pipe.into if self.pipe else err,
                                            cwd=self.directory, **self.how)
        self.ended = False
        self.http = self.listening("http")
        self.websocket = self.listening("websocket")

    def listening(self, protocol):
        start = f"{protocol} listening on "
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for line in (self.directory / "stdout").read_text().splitlines(keepends=True):
                if line.startswith(start) and line.endswith("\n"):
                    return line[len(start):].strip()
            if self.process.poll() is not None:
                raise AssertionError(f"queue-server ended with {self.process.returncode}:\n{self.stderr()}")
            time.sleep(0.01)
        raise AssertionError(f"no '{start}' within {START_SECONDS} s:\n{self.stderr()}")

    def stderr(self):
        if self.pipe:
            return self.pipe.content.decode(errors="replace")
        return (self.directory / "stderr").read_text(errors="replace")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.ended = True

    def stop(self):
        """Asks it to stop; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        self.ended = True
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {STOP_SECONDS} s after SIGTERM:\n{self.stderr()}") from None

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None:
                print(self.stderr()[-20000:])
            elif not self.ended:
                code = self.stop()
                if code != 0:
                    raise AssertionError(f"exit code {code} after SIGTERM:\n{self.stderr()}")
        finally:
            self.kill()
            if self.pipe:
                self.pipe.close()
            self.remove()

    def remove(self):
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def ping(self):
        with self.client() as ask:
            return ask("GET", "/v2/ping")[0]

    def client(self, project="e2e", client_id=None):
        return Client(self.http, project, client_id)


class Client:
    """One keep-alive connection that speaks the HTTP API."""

    def __init__(self, address, project="e2e", client_id=None):
        self.connection = http.client.HTTPConnection(address, timeout=60)
        self.headers = {"Client-ID": client_id or str(uuid.uuid4()), "X-Project-Id": project}

    def __call__(self, method, path, body=None, headers=None):
        """Status, body (decoded when there is one), headers."""
        sent = dict(self.headers if headers is None else headers)
        content = None
        if body is not None:
            content = body if isinstance(body, (str, bytes)) else json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        self.connection.request(method, path, content, sent)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None, dict(answer.getheaders())

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def children(pid):
    """The processes whose parent it is, as pairs of id and number of threads."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == pid:
                found.append((int(entry.name), len(os.listdir(entry / "task"))))
    return sorted(found)


def workers(pid):
    """The workers of a parent; the process that makes them has no other thread (but one of a sanitizer)."""
    return [child for child, threads in children(pid) if threads > 2]


def family(pid):
    """A parent and all whose parent it is."""
    return [pid, *(child for child, _ in children(pid))]


def exists(pid):
    return pathlib.Path(f"/proc/{pid}").exists()


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="queue-server-") as path:
        yield pathlib.Path(path)
