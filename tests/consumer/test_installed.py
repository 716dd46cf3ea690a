#!/usr/bin/env python3
"""The README's service, built against the installed package, reports: with CMake and with pkg-config."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent / "orders"
BUILD = pathlib.Path(os.environ["GMR_BUILD_DIR"])
CMAKE = os.environ["GMR_CMAKE"]
CXX = os.environ["GMR_CXX"]


def run(*command, **options):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def open_sockets(process):
    """Inodes of the sockets that it has open."""
    inodes = set()
    for descriptor in pathlib.Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(descriptor)))
    return inodes


def await_port(service):
    """The port that the process listens on, once it does."""
    listening = "0A"
    while service.poll() is None:
        sockets = open_sockets(service)
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *_ = fields = line.split()
            if state == listening and fields[9] in sockets:
                return int(local.rpartition(":")[2], 16)
        time.sleep(0.01)
    raise AssertionError(f"the service ended with {service.returncode}")


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp())
        cls.prefix = cls.work / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.work)

    def report_of(self, program):
        """The report of the running program with one client connected."""
        with tempfile.TemporaryFile("a+") as stderr:  # appended to: reading moves its position
            service = subprocess.Popen([program, "--orders.port=0", "--db.password=hunter2"], stderr=stderr)
            try:
                with socket.create_connection(("127.0.0.1", await_port(service))) as client:
                    client.sendall(b"one\ntwo\n")
                    return self.await_report(service, stderr)
            finally:
                service.kill()
                service.wait()

    @staticmethod
    def await_report(service, stderr):
        """Asks until the two orders have been counted: the client's bytes need not have arrived at once."""
        for number in range(1, 10):
            service.send_signal(signal.SIGUSR2)
            while True:
                stderr.seek(0)
                content = stderr.read()
                if content.count("End of Guru Meditation") >= number:
                    break
                if service.poll() is not None:
                    raise AssertionError(f"the service ended with {service.returncode}\n{content}")
            last = content.split("End of Guru Meditation")[-2]
            if re.search(r"received\W+2", last):
                return last
        raise AssertionError("the orders never arrived:\n" + content)

    def check(self, report):
        self.assertIn("orders", report)
        self.assertIn("1.4.2", report)
        self.assertRegex(report, r"answer.*orders\.cpp:\d+")
        self.assertRegex(report, r"listen.*orders\.cpp:\d+")
        self.assertNotIn("hunter2", report)

    def check_operations(self, report):
        """The client's connection, and what the loop has to do."""
        flat = " ".join(report.split())
        self.assertRegex(flat, r"waiting for read on descriptor \d+ \(tcp 127\.0\.0\.1:\d+ - 127\.0\.0\.1:\d+\)")
        self.assertRegex(flat, r"waiting for accept on descriptor \d+ \(tcp 0\.0\.0\.0:\d+ listening\)")
        self.assertRegex(flat, r"Event loop 0x[0-9a-f]+: no handler queued; 2 operations pending; run by thread \d+")

    def configured(self, name):
        build = self.work / name
        run(CMAKE, "-S", SOURCE, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={CXX}", "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
        return build

    def test_find_package(self):
        build = self.configured("cmake")
        run(CMAKE, "--build", build)
        self.check(self.report_of(build / "orders"))
        report = self.report_of(build / "orders-ops")
        self.check(report)
        self.check_operations(report)
        with self.assertRaisesRegex(AssertionError, "gmr_link_trace_ops_to_all_targets_or_to_none"):
            run(CMAKE, "--build", build, "--target", "orders-mixed")
        with self.assertRaisesRegex(AssertionError, "asio_source_with_trace_ops"):
            run(CMAKE, "--build", build, "--target", "orders-asio-without")

    def test_pkg_config(self):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(next(self.prefix.rglob("pkgconfig"))))
        for module in "gmr-trace", "gmr-trace-ops":
            with self.subTest(module):
                flags = run("pkg-config", "--cflags", "--libs", module, env=environment).split()
                program = self.work / f"orders-{module}"
                run(CXX, "-std=c++20", "-g", "-O1", SOURCE / "orders.cpp", "-o", program, *flags)
                report = self.report_of(program)
                self.check(report)
                if module == "gmr-trace-ops":
                    self.check_operations(report)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
