#!/usr/bin/env python3
"""What .ci/run and .ci/all print: each step with its time, the sum of all tests, and which step failed."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAYS = "echo '{percent}% tests passed, {failed} tests failed out of {tests}'"


def bash(script):
    return subprocess.run(["bash", "-euo", "pipefail", "-c", f"cd '{ROOT}'; . .ci/steps.sh\n{script}"], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def tests(count, failed=0):
    return f"""bash -c "{SAYS.format(percent=100 - failed, failed=failed, tests=count)}; exit {int(failed > 0)}" """


class Steps(unittest.TestCase):
    def test_times_and_the_sum_of_all_tests(self):
        done = bash(f"step release {tests(100)}\nstep 'Debian 13' {tests(23)}\nsummary")
        self.assertEqual(0, done.returncode, done.stdout)
        self.assertRegex(done.stdout, r"(?s)time of each step\n *\d+ s  release\n *\d+ s  Debian 13\n *\d+ s  in all\n"
                                      r"123 passed, 0 failed\n$")

    def test_the_first_step_that_fails_ends_everything(self):
        done = bash(f"step release {tests(100)}\nstep asan {tests(50, failed=2)}\nstep tsan echo NEVER RUN\nsummary")
        self.assertEqual(1, done.returncode)
        self.assertNotIn("NEVER RUN", done.stdout)
        self.assertRegex(done.stdout, r"\d+ s  asan: FAILED with status 1\n *\d+ s  in all\n148 passed, 2 failed\n$")

    def test_a_step_has_no_standard_input(self):
        self.assertEqual(0, bash("step read bash -c '! read -r'").returncode)

    def built_ahead(self, script):
        """With a tests/run.sh that says how it was called, and can't build the preset `bad`."""
        with tempfile.TemporaryDirectory() as directory:
            fake = pathlib.Path(directory, "tests/run.sh")
            fake.parent.mkdir()
            fake.write_text('#!/bin/sh\necho "called with $*"\n[ "$*" != "bad --no-tests" ]\n')
            fake.chmod(0o755)
            return bash(f"cd '{directory}'\n{script}")

    def test_what_is_built_ahead_is_tested_in_its_step(self):
        done = self.built_ahead("build_ahead asan tsan\nstep asan tests_of asan\nstep tsan tests_of tsan\nsummary")
        self.assertEqual(0, done.returncode, done.stdout)
        calls = [line for line in done.stdout.splitlines() if line.startswith("called")]
        self.assertEqual(["called with asan --no-tests", "called with asan", "called with tsan --no-tests",
                          "called with tsan"], calls)

    def test_what_can_not_be_built_ahead_fails_in_its_step(self):
        done = self.built_ahead("build_ahead bad tsan\nstep bad tests_of bad\nstep tsan tests_of tsan")
        self.assertEqual(1, done.returncode)
        self.assertIn("called with bad --no-tests\n", done.stdout)
        self.assertNotIn("called with bad\n", done.stdout)
        self.assertIn("bad: FAILED", done.stdout)


    def test_building_ahead_ends_with_the_script(self):
        done = self.built_ahead("""printf '#!/bin/sh\\necho $$ >started.new; mv started.new started; exec sleep 600' >tests/run.sh
            build_ahead asan
            until [ -e started ]; do sleep 0.01; done
            stop_building
            while kill -0 "$(cat started)" 2>/dev/null; do sleep 0.01; done
            echo ended""")
        self.assertEqual((0, "ended\n"), (done.returncode, done.stdout))

    def test_parts_are_listed_and_others_refused(self):
        listed = subprocess.run([ROOT / ".ci/all", "--list"], text=True, capture_output=True, check=True).stdout
        self.assertRegex(listed, "(?m)^sid  ")
        refused = subprocess.run([ROOT / ".ci/all", "fuzz", "everything"], text=True, capture_output=True)
        self.assertEqual((64, ""), (refused.returncode, refused.stdout))
        self.assertIn("no part 'everything'", refused.stderr)

    def test_distributions_and_versions_are_checked(self):
        for arguments in ([], ["jammy"], ["trixie", "--boost"], ["trixie", "--boost", "new", "true"], ["sid", "--frsh"]):
            refused = subprocess.run([ROOT / "tests/distribution.sh", *arguments], text=True, capture_output=True)
            self.assertEqual((64, ""), (refused.returncode, refused.stdout), arguments)
            self.assertIn("usage: tests/distribution.sh bookworm|trixie|sid", refused.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
