#!/usr/bin/env python3
"""What a program knows of its own stacks against a report of them: PROGRAM [COUNT [SEED]]."""
import collections
import json
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
import reports  # noqa: E402  (needs the path above)

PROGRAM = sys.argv[1]
COUNT = sys.argv[2] if len(sys.argv) > 2 else "150"
SEED = sys.argv[3] if len(sys.argv) > 3 else str(random.randrange(1, 1 << 30))
SHOWN = 10  # differences


def plain(function):
    """Without template arguments and the numbers of lambdas, which the program does not know."""
    name = re.sub(r"\{lambda#\d+\}", "{lambda}", function or "")
    while (shorter := re.sub(r"<[^<>]*>", "", name)) != name:
        name = shorter
    return name


def own_frames(frames):
    """Those of the program itself, as it writes them down."""
    return [(plain(frame["function"]), pathlib.Path(frame["file"]).name, frame["line"]) for frame in frames
            if frame["file"] and "tests/truth/" in frame["file"]]


def true_frames(green_thread):
    return [(function, pathlib.Path(file).name, line) for function, file, line in green_thread["frames"]]


def all_sleep(pid):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().rpartition(")")
        if "(gmr" not in name and rest.split()[0] != "S":
            return False
    return True


def truth_and_report():
    with tempfile.TemporaryFile("a+") as stderr:  # appended to: reading moves its position
        process = subprocess.Popen([PROGRAM, COUNT, SEED], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=stderr, text=True)

        def said():
            stderr.seek(0)
            return stderr.read()
        try:
            line = process.stdout.readline()
            if not line:
                raise AssertionError(f"the program ended: {process.wait()}\n{said()}")
            reports.wait_for(lambda: all_sleep(process.pid), "a thread does not sleep")
            process.send_signal(signal.SIGUSR2)
            report = reports.wait_for(lambda: reports.jsons(said()), said)[0]
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
    return json.loads(line), report


class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        truth, cls.report = truth_and_report()
        records = truth["green_threads"]
        cls.threads = [each for each in records if each["kind"] == "thread"]
        cls.unnamed = [each for each in records if each["name"].startswith("unnamed")]
        cls.green_threads = [each for each in records if each not in cls.threads and each not in cls.unnamed]
        cls.listed = cls.report["green_threads"]["listed"]
        cls.stacks = cls.report["green_threads"]["stacks"]
        cls.by_name = {each["name"]: each for each in cls.listed}
        cls.by_thread = {each["id"]: each for each in cls.report["threads"]}

    def shown_frames(self, listed):
        """Of one that runs a fiber: the stack of its thread."""
        frames = self.stacks[listed["stack"]]
        if listed["state"] == "running" and listed["kind"] == "fiber":
            frames = self.by_thread[listed["thread"]]["frames"]
        return own_frames(frames)

    def check(self, differences, compared):
        print(f"seed {SEED}: {compared}, {len(differences)} differences")
        self.assertFalse(differences, f"seed {SEED}:\n" + "\n".join(differences[:SHOWN]))

    def test_every_one_is_listed_and_no_other(self):
        known = {each["name"] for each in self.green_threads}
        extra = [each for each in self.listed if each["name"] not in known]
        self.check([f"missing: {name}" for name in known - self.by_name.keys()] +
                   [f"extra: {each} {self.shown_frames(each)}" for each in extra if each["name"] or self.shown_frames(each)],
                   f"{len(known)} green threads")
        self.assertEqual(collections.Counter(each["kind"] for each in self.unnamed),
                         collections.Counter(each["kind"] for each in extra))
        self.assertEqual(self.report["green_threads"]["count"], len(self.listed))
        self.assertEqual(len(self.listed), len({each["id"] for each in self.listed}))
        self.assertEqual([], [f for f in self.report["findings"] if "tracing" in f["kind"]])

    def test_every_frame(self):
        differences = []
        frames = collections.Counter()
        for green_thread in self.green_threads:
            listed = self.by_name.get(green_thread["name"])
            if listed is None:
                continue
            expected, seen = true_frames(green_thread), self.shown_frames(listed)
            frames[green_thread["kind"]] += len(expected)
            if expected != seen:
                differences.append(self.difference(green_thread["name"], expected, seen))
        self.check(differences, ", ".join(f"{count} frames of {kind}s" for kind, count in frames.items()))

    def difference(self, name, expected, seen):
        at = next((i for i in range(min(len(expected), len(seen))) if expected[i] != seen[i]), min(len(expected), len(seen)))
        here = slice(max(0, at - 1), at + 3)
        return f"{name}: frame {at} of {len(expected)}: true {expected[here]}, shown {seen[here]}"

    def test_kind_state_wait_and_parent(self):
        differences = []
        ids = {each["id"]: each for each in self.listed}
        parents = {each["name"]: each["parent"] for each in self.unnamed}

        def name_above(listed):
            """Of the nearest one that has a name."""
            while listed["parent"] and not ids[listed["parent"]]["name"]:
                listed = ids[listed["parent"]]
            return listed["parent"] and ids[listed["parent"]]["name"]
        for green_thread in self.green_threads:
            listed = self.by_name.get(green_thread["name"])
            if listed is None:
                continue
            expected = {key: green_thread[key] for key in ("kind", "state")}
            seen = {key: listed[key] for key in ("kind", "state")}
            if green_thread["waits_for"]:
                expected["waits_for"] = green_thread["waits_for"]
                seen["waits_for"] = (listed["waits_for"] or {}).get("kind")
            if green_thread["parent"] or green_thread["kind"] == "coroutine":
                expected["parent"] = parents.get(green_thread["parent"], green_thread["parent"]) or None
                seen["parent"] = name_above(listed)
            if green_thread["thread"] and green_thread["state"] == "running":
                expected["thread"], seen["thread"] = green_thread["thread"], listed["thread"]
                expected["runs"], seen["runs"] = listed["id"], self.by_thread[green_thread["thread"]]["runs"]
            if listed["kind"] == "fiber":
                expected["has_bounds"] = True
                seen["has_bounds"] = listed["memory"] is not None and listed["memory"]["low"] < listed["memory"]["high"]
            if listed["state"] != "running":
                # A thread's own stack has no time: see docs/report.md.
                expected["timed"] = not listed["name"].startswith("own stack of thread")
                seen["timed"] = listed["seconds"] is not None and listed["seconds"] >= 0
            if expected != seen:
                differences.append(f"{green_thread['name']}: true {expected}, shown {seen}")
        self.check(differences, f"{len(self.green_threads)} states")

    def test_threads_that_run_coroutines(self):
        for thread in self.threads:
            self.assertEqual(true_frames(thread), own_frames(self.by_thread[thread["thread"]]["frames"]))

    def test_nothing_was_cut(self):
        self.assertEqual([], [note for note in self.report["cost"]["notes"]
                              if "green" in note and not note.endswith(": running")])


if __name__ == "__main__":
    print(f"seed {SEED}", flush=True)
    unittest.main(argv=sys.argv[:1])
