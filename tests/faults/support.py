"""What the faults share: what a report says, what the kernel says of a process, a control group of its own."""
import os
import pathlib
import time


class Skip(Exception):
    pass


def functions(report):
    return {frame["function"] for thread in report["threads"] for frame in thread.get("frames", ()) if frame["function"]}


def files(report):
    return {frame["file"] for thread in report["threads"] for frame in thread.get("frames", ()) if frame.get("file")}


def notes(report):
    return "\n".join(report["cost"]["notes"])


def status(process, name):
    try:
        for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return line.split()[1]
    except OSError:
        pass
    return ""


class Group:
    """A control group of its own, version 1 or 2, below the one that this runs in."""

    def __init__(self):
        groups = dict(line.split(":", 2)[1:] for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines())
        memory = next((name for name in groups if "memory" in name.split(",")), None)
        top = pathlib.Path("/sys/fs/cgroup") if memory is None else pathlib.Path("/sys/fs/cgroup/memory")
        self.files = (("memory.current", "memory.max") if memory is None
                      else ("memory.usage_in_bytes", "memory.limit_in_bytes"))
        self.path = top / groups.get(memory or "", "/").lstrip("/") / f"gmr-faults-{os.getpid()}"
        try:
            self.path.mkdir()
        except OSError as error:
            raise Skip(f"needs a control group for memory: {error}") from error
        if not (self.path / self.files[1]).exists():
            self.path.rmdir()
            raise Skip(f"{self.path} has no {self.files[1]}: the controller of memory is not given to it")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(500):
            try:
                self.path.rmdir()
                return
            except OSError:
                time.sleep(0.01)

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def leave(self, size):
        """Limits the group so that this is left of what it has now."""
        try:
            (self.path / "memory.force_empty").write_text("0")  # version 1: files that are cached
        except OSError:
            pass
        used = int((self.path / self.files[0]).read_text())
        (self.path / self.files[1]).write_text(str(used + size))
