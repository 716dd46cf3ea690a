#!/usr/bin/env python3
"""Threads parked in nasty places: PROGRAM THREADS LOADED UNLOADED, the program and three shared objects."""
import subprocess
import sys
import tempfile
import unittest

import agreement

COMMAND = sys.argv[1:5]
LEAST_FRAMES = 500


class Agreement(unittest.TestCase):
    def test_frame_by_frame(self):
        with tempfile.TemporaryFile("a+") as stderr:  # appended to: reading moves its position
            process = subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=stderr, text=True)

            def errors():
                stderr.seek(0)
                return stderr.read()
            try:
                self.assertEqual("parked\n", process.stdout.readline(), errors())
                report, stacks = agreement.report_and_stacks(process, errors)
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
        compared, wrong = agreement.compare(report, stacks, gone=COMMAND[3])
        self.assertGreater(compared, LEAST_FRAMES)
        self.assertFalse(wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
