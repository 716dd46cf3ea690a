#!/usr/bin/env python3
"""The README's service, built against the installed package, reports: with CMake and with pkg-config."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from common import CXX, HERE, Consumer, run

# Whether the library has the debug information that it is installed with.
HAS_LINES = os.environ["GMR_BUILD_TYPE"] == "RelWithDebInfo" and os.environ["GMR_DEBUG_INFO"] == "lines"
MIB = 1 << 20


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


class Installed(Consumer):
    def report_of(self, program):
        """The report of the running program with one client connected."""
        with tempfile.TemporaryFile("a+") as stderr:  # appended to: reading moves its position
            service = subprocess.Popen([program, "--port=0", "--db.password=hunter2"], stderr=stderr)
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

    def check_debug_information(self, program):
        """A program grows by the lines and names of what it takes from the library, not by the types of all of Boost."""
        if not HAS_LINES:
            print("not looking at sizes: this library has been built with other debug information than is installed")
            return
        stripped = self.work / "stripped"
        run("strip", "-o", stripped, program)
        archive = next(self.prefix.rglob("libgmr.a"))
        for file, most in (archive, 48 * MIB), (program, 20 * MIB), (stripped, 4 * MIB):
            with self.subTest(file.name):
                self.assertLess(file.stat().st_size, most)
        symbols = re.findall(r"^([0-9a-f]+) T (gmr::reporter::\w+)\(", run("nm", "-C", program), re.MULTILINE)
        self.assertTrue(symbols)
        for address, function in symbols:
            place = run("addr2line", "-e", program, address)
            self.assertRegex(place, r"/lib/src/reporter/reporter\.cpp:[1-9]", function)

    def test_find_package(self):
        build, _ = self.configure("orders", "cmake", "-DCMAKE_BUILD_TYPE=RelWithDebInfo")
        self.build(build, "all")
        self.check(self.report_of(build / "orders"))
        self.check_debug_information(build / "orders")
        report = self.report_of(build / "orders-ops")
        self.check(report)
        self.check_operations(report)
        with self.assertRaisesRegex(AssertionError, "gmr_link_trace_ops_to_all_targets_or_to_none"):
            self.build(build, "orders-mixed")
        with self.assertRaisesRegex(AssertionError, "asio_source_with_trace_ops"):
            self.build(build, "orders-asio-without")

    def test_command(self):
        """Installed beside the library, from where `gmr run` finds what it preloads."""
        gmr = next(self.prefix.rglob("bin/gmr"))
        self.assertRegex(run(gmr, "--version"), r"^gmr \d+\.\d+\.\d+\n$")
        if os.environ["GMR_BACKEND"] != "libdw":  # the preload library is not built
            with self.assertRaisesRegex(AssertionError, r"libgmr_preload\.so is not at \S+; name it with --library"):
                run(gmr, "run", "--", "/bin/true")
            return
        said = run(gmr, "run", "--", "/bin/cat", "/proc/self/maps")
        self.assertIn(str(next(self.prefix.rglob("libgmr_preload.so"))), said)

    def test_pkg_config(self):
        program = self.work / "orders-pkg-config"
        run(CXX, "-std=c++20", "-g", "-O1", HERE / "orders/orders.cpp", "-o", program,
            *self.flags("--cflags", "--libs", "gmr-trace"))
        self.check(self.report_of(program))


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
