#!/usr/bin/env python3
"""The page of what gmr works with says what the logs say."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import compatibility  # noqa: E402  (needs the path above)

HEAD = """system: Debian GNU/Linux 13 (trixie)
Boost: 1.83
compiler: g++ 14.2.0
C library: glibc 2.41
elfutils: 0.192
gdb: 16.3
commit: 1234567
"""
PASSED = "  1/3 Test  #7: Fibers.AreListed ..............   Passed    0.01 sec\n"
FAILED = "  2/3 Test #11: Fibers.AreNamed ...............***Failed    0.01 sec\n"
CRASHED = "  2/3 Test #11: Fibers.AreNamed ...............***Exception: SegFault  0.01 sec\n"
SKIPPED = "  3/3 Test #12: gdb.green_threads .............***Skipped   0.01 sec\n"


class Compatibility(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.log = pathlib.Path(directory.name) / "trixie-1.83-gcc.log"

    def cells(self, **said):
        names = {name.split(" ")[0].strip("`"): name for name in compatibility.COLUMNS}
        self.log.write_text(HEAD + "".join(f"\n== {names[name]}: ctest -L x\n{text}\n" for name, text in said.items()))
        return dict(zip([*compatibility.HEAD, *compatibility.COLUMNS], compatibility.row(self.log), strict=True))

    def test_what_was_tested_with_what(self):
        cells = self.cells()
        self.assertEqual("[Debian GNU/Linux 13 (trixie)](compatibility/trixie-1.83-gcc.log)", cells["system"])
        self.assertEqual(["1.83", "g++ 14.2.0", "glibc 2.41"], [cells[name] for name in ("Boost", "compiler", "C library")])

    def test_passed_failed_skipped_and_not_tried(self):
        cells = self.cells(coroutines=PASSED * 5, preload=PASSED + FAILED + CRASHED, gdb=PASSED + SKIPPED, trace_ops=SKIPPED,
                           threads="No tests were found!!!")
        self.assertEqual("5", cells["coroutines"])
        self.assertEqual("**2 of 3 fail**", cells["preload"])
        self.assertEqual("1 (1 skipped)", cells["gdb"])
        for name in ("`trace_ops`", "threads", "fibers, static"):
            self.assertEqual("not tried", cells[name])

    def test_a_column_of_several_commands(self):
        self.log.write_text(HEAD + "".join(f"\n== threads: ctest {way}\n{PASSED * 2}\n" for way in ("-L a", "-R b")))
        self.assertIn("4", compatibility.row(self.log))

    def test_the_page_of_the_project_is_what_its_logs_make(self):
        if not compatibility.LOGS.is_dir():
            self.skipTest("no logs are kept yet")
        self.assertEqual(compatibility.page(), (compatibility.ROOT / "docs/compatibility.md").read_text(),
                         "make it again: tests/compatibility.py page >docs/compatibility.md")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
