#!/usr/bin/env python3
"""config/install-packages.sh on machines that are made up: what it installs, what it refuses, and what it says."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = HERE.parent.parent / "config"
PARTS = ["", "-context", "-program-options", "-url", "-fiber", "-coroutine", "-exception", "-stacktrace"]
TOOLS = ["bash", "env", "sed", "sort", "grep", "date"]


def boost(version, parts=PARTS):
    return [f"libboost{part}{version}-dev" for part in parts]


def packages(*groups):
    """Those of packages.txt that are not Boost's."""
    lines = [line.split() for line in (CONFIG / "packages.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    return sorted({line[1] for line in lines if line[0] in groups and "BOOST" not in line[1]})


EVERYTHING = packages("build", "demo", "test", "lint", "bench", "distribution")
BOOKWORM = EVERYTHING + boost("1.74", PARTS[:3]) + boost("1.81")
TRIXIE = EVERYTHING + boost("1.83") + boost("1.88")


class InstallPackages(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)
        (self.work / "bin").mkdir()
        (self.work / "empty").mkdir()
        for name in TOOLS:
            (self.work / "bin" / name).symlink_to(shutil.which(name))
        for name in "apt-get", "apt-cache", "dpkg-query", "dpkg", "id", "sudo":
            (self.work / "bin" / name).symlink_to(HERE / "fake_machine.py")
        self.machine = {"installed": [], "foreign": [], "configured": [], "offered": BOOKWORM, "updated": False,
                        "exclude": [], "upgraded": [], "removed": [], "calls": [], "sudo_says": "",
                        "update_says": "Reading package lists...", "update_status": 0, "install_status": 0}

    def run_script(self, *groups, user="0", **environment):
        state = self.work / "machine.json"
        state.write_text(json.dumps(self.machine))
        done = subprocess.run([CONFIG / "install-packages.sh", *groups], text=True, capture_output=True, stdin=subprocess.DEVNULL,
                              env={"PATH": str(self.work / "bin"), "FAKE_MACHINE": str(state), "FAKE_UID": user,
                                   "GMR_LOCAL_PREFIX": str(self.work / "empty"), **environment})
        self.machine = json.loads(state.read_text())
        self.assertEqual([], self.machine["removed"])
        return done

    def installs(self, expected, *groups, **options):
        done = self.run_script(*groups, **options)
        self.assertEqual("", done.stderr)
        self.assertEqual(0, done.returncode)
        self.assertEqual(sorted(expected), sorted(self.machine["installed"]))
        return done.stdout

    def refuses(self, status, *groups, **options):
        """What it says; nothing has changed."""
        before = self.machine["installed"]
        done = self.run_script(*groups, **options)
        self.assertEqual(status, done.returncode, done.stderr)
        self.assertEqual(before, self.machine["installed"])
        return done.stderr

    def has(self, version):
        """A Boost from packages, with the two that exclude it."""
        self.machine["installed"] = ["libboost-dev", *boost(version, PARTS[:1])]
        self.machine["exclude"] = [[f"libboost{version}-dev", f"libboost{other}-dev"]
                                   for other in ("1.74", "1.81", "1.83", "1.88") if other != version]

    def boost_prefix(self, version):
        header = self.work / f"boost-{version}/include/boost/version.hpp"
        header.parent.mkdir(parents=True)
        header.write_text(f'#ifndef X\n//  BOOST_LIB_VERSION must be defined\n#define BOOST_LIB_VERSION "{version.replace(".", "_")}"\n')
        return str(self.work / f"boost-{version}")

    # What is chosen.
    def test_bare_debian_12_has_1_81(self):
        self.installs(packages("build", "demo", "test") + boost("1.81"), "build", "demo", "test")

    def test_bare_debian_13_has_the_newest_tested(self):
        self.machine["offered"] = TRIXIE
        self.installs(packages("build") + boost("1.88", PARTS[:4]), "build")

    def test_only_what_is_missing_is_installed_and_nothing_asked_of_apt_when_all_is_there(self):
        self.machine["installed"] = packages("build", "demo")[1:] + boost("1.81", PARTS[:4])
        self.installs(packages("build", "demo") + boost("1.81", PARTS[:4]), "build", "demo")
        self.machine["calls"] = []
        self.installs(packages("build", "demo") + boost("1.81", PARTS[:4]), "build", "demo")
        self.assertEqual([], self.machine["calls"])

    def test_an_installed_boost_is_kept_and_completed(self):
        self.machine["offered"] = TRIXIE
        self.has("1.83")
        self.installs(packages("build", "test") + boost("1.83") + ["libboost-dev"], "build", "test")

    def test_an_untested_boost_of_the_system_will_do(self):
        self.machine["offered"] = EVERYTHING + boost("1.74") + boost("1.85") + boost("1.95")
        self.installs(packages("build") + boost("1.95", PARTS[:4]), "build")

    def test_a_version_without_all_libraries_is_passed_over(self):
        self.machine["offered"] = EVERYTHING + boost("1.81") + boost("1.88", PARTS[:3])
        self.installs(packages("build") + boost("1.81", PARTS[:4]), "build")

    def test_a_chosen_version(self):
        self.machine["offered"] = TRIXIE
        self.installs(packages("build") + boost("1.83", PARTS[:4]), "build", GMR_BOOST="1.83")

    def test_boost_elsewhere_by_any_of_its_names(self):
        prefix, old = self.boost_prefix("1.85"), self.boost_prefix("1.80")
        for variables in ({"Boost_ROOT": prefix}, {"CMAKE_PREFIX_PATH": f"{old}:/nowhere:{prefix}"}, {"GMR_LOCAL_PREFIX": prefix}):
            with self.subTest(variables):
                self.has("1.74")
                said = self.installs([*packages("build", "test"), "libboost-dev", "libboost1.74-dev"], "build", "test", **variables)
                self.assertIn(f"Boost 1.85 in {prefix} is used", said)

    def test_an_older_boost_elsewhere_is_not_used(self):
        self.installs(packages("build") + boost("1.81", PARTS[:4]), "build", Boost_ROOT=self.boost_prefix("1.80"))

    def test_what_apt_lacks_and_is_optional_is_left_out(self):
        self.machine["offered"] = [name for name in BOOKWORM if name != "clang-19"]
        expected = [name for name in packages("build", "test") if name != "clang-19"] + boost("1.81")
        self.installs(expected, "build", "test")
        self.machine["calls"] = []
        self.installs(expected, "build", "test")
        self.assertEqual([], self.machine["calls"])

    def test_packages_of_another_architecture_or_removed_ones_are_not_installed(self):
        self.machine["installed"] = packages("build")[1:]
        self.machine["foreign"] = packages("build")[:1] + boost("1.83")
        self.machine["configured"] = packages("build")[:1]
        self.installs(packages("build") + boost("1.81", PARTS[:4]), "build")

    def test_upgrades_are_told(self):
        self.machine["upgraded"] = ["libc6", "libc6-dev"]
        self.assertIn("which upgrades libc6 libc6-dev", self.installs(packages("test") + boost("1.81", PARTS[4:]), "test"))

    # What it refuses.
    def test_nothing_is_removed_for_a_boost_that_excludes_another(self):
        self.has("1.74")
        said = self.refuses(69, "build")
        self.assertIn("nothing was changed, for apt would have to remove libboost1.74-dev", said)
        self.assertIn("Boost_ROOT=/opt/boost", said)
        self.assertRegex(said, "as root.*: apt-get install --no-install-recommends .*libboost1.81-dev")

    def test_a_chosen_version_that_excludes_the_installed_one(self):
        self.machine["offered"] = TRIXIE
        self.has("1.83")
        self.assertIn("gmr needs Boost 1.88.", self.refuses(69, "build", GMR_BOOST="1.88"))

    def test_nothing_is_removed_for_any_other_package(self):
        self.machine["installed"] = ["libdw-other"]
        self.machine["exclude"] = [["libdw-other", "libdw-dev"]]
        said = self.refuses(69, "build")
        self.assertIn("would have to remove libdw-other", said)
        self.assertNotIn("Boosts", said)

    def test_no_sufficient_boost_anywhere(self):
        self.machine["offered"] = EVERYTHING + boost("1.74")
        said = self.refuses(69, "build")
        self.assertIn("apt has no package libboost1.81-dev ", said)
        self.assertIn("(Boost must be 1.81 or later; tested are 1.92 1.90", said)

    def test_a_package_that_apt_lacks(self):
        self.machine["offered"] = [name for name in BOOKWORM if name != "libdw-dev"]
        self.assertIn("apt has no package libdw-dev\n", self.refuses(69, "build"))

    def test_expired_lists(self):
        self.machine["update_says"] = "E: Release file for http://x/InRelease is expired (invalid since 3d)."
        self.machine["update_status"] = 100
        said = self.refuses(69, "build")
        self.assertIn("Release file for http://x/InRelease is expired", said)
        self.assertIn("'apt-get update' failed", said)
        self.assertIn("Acquire::Check-Valid-Until", said)

    def test_no_network(self):
        self.machine["update_says"] = "E: Could not resolve 'x'"
        self.machine["update_status"] = 100
        said = self.refuses(69, "build")
        self.assertIn("Could not resolve 'x'", said)
        self.assertNotIn("Valid-Until", said)

    def test_lists_that_could_not_be_fetched_are_told_where_a_package_is_missing(self):
        self.machine["offered"] = []
        self.machine["update_says"] = "W: Failed to fetch http://x/InRelease"
        self.assertIn("Failed to fetch http://x/InRelease", self.refuses(69, "build"))

    def test_a_failing_installation_shows_what_apt_says(self):
        self.machine["install_status"] = 100
        said = self.refuses(69, "demo")
        self.assertIn("dpkg returned an error code", said)
        self.assertIn("apt-get install failed", said)

    def test_arguments(self):
        self.assertIn("no group 'bild', only build", self.refuses(64, "build", "bild"))
        self.assertIn("name the groups", self.refuses(64))
        self.assertIn("GMR_BOOST is 'latest'", self.refuses(64, "build", GMR_BOOST="latest"))
        self.assertIn("GMR_BOOST is 1.74, and Boost must be 1.81 or later", self.refuses(64, "build", GMR_BOOST="1.74"))

    def test_the_oldest_boost_is_that_of_cmake(self):
        tested = [line.split()[1] for line in (CONFIG / "packages.txt").read_text().splitlines() if line.startswith("tested-boost")]
        self.assertIn(f"set(GMR_BOOST_MINIMUM {tested[-1]})", (CONFIG.parent / "lib/cmake/GmrBoost.cmake").read_text())

    # Who may.
    def test_sudo(self):
        self.installs(packages("demo"), "demo", user="1000")

    def test_without_sudo(self):
        (self.work / "bin/sudo").unlink()
        said = self.refuses(77, "build", "demo", user="1000")
        self.assertIn("Run as root, then start again: ", said)
        self.assertIn("config/install-packages.sh build demo\n", said)
        self.assertIn("libboost-context1.81-dev", said)

    def test_sudo_that_refuses(self):
        self.machine["sudo_says"] = "gmr is not in the sudoers file."
        said = self.refuses(69, "demo", user="1000")
        self.assertIn("not in the sudoers file", said)
        self.assertIn("'sudo apt-get update' failed", said)

    def test_root_needs_no_sudo(self):
        (self.work / "bin/sudo").unlink()
        self.installs(packages("demo"), "demo")

    def test_other_systems_are_told_the_packages_in_one_sentence(self):
        for name in "apt-get", "apt-cache", "dpkg-query", "dpkg", "sudo":
            (self.work / "bin" / name).unlink()
        said = self.refuses(69, "build", user="1000")
        self.assertEqual(1, said.count("\n"))
        for name in packages("build") + ["libboost-context-dev", "Boost 1.81 or later", "GMR_INSTALL_PACKAGES=no"]:
            self.assertIn(name, said)
        self.installs([], "build", GMR_INSTALL_PACKAGES="no")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
