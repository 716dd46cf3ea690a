"""What the tests of the installed package share: gmr installed to a folder, and the small program of folder small/."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SMALL = HERE / "small"
SOURCE = HERE.parent.parent
BUILD = pathlib.Path(os.environ["GMR_BUILD_DIR"])
CMAKE = os.environ["GMR_CMAKE"]
CXX = os.environ["GMR_CXX"]
# As <gmr/detail/hook/traced_unit.hpp> has it.
MARK = b"gmr: the coroutines of this module are traced"
LOCK = "the_headers_of_gmr_trace_must_be_found_before_those_of_Boost__see_docs_tracing_md"


def run(*command, **options):
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def cached(name):
    """The value of an entry in the cache of the build that is tested."""
    found = re.search(rf"^{name}:[A-Z]+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)
    return found.group(1) if found else ""


def traced(objects):
    """Whether the object files that are somewhere in the folder have traced coroutines in them."""
    files = list(objects.rglob("coroutine.cpp.o"))
    if len(files) != 1:
        raise AssertionError(f"{files} instead of one object file")
    return MARK in files[0].read_bytes()


class Consumer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = pathlib.Path(tempfile.mkdtemp()).resolve()
        cls.addClassCleanup(shutil.rmtree, cls.work)
        cls.prefix = cls.work / "prefix"
        run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)

    def configure(self, project, name, *options, prefix=None, compiler=CXX, **how):
        """The folder of a project that is configured against the installed gmr, and what was printed."""
        build = self.work / name
        said = run(CMAKE, "-S", HERE / project, "-B", build, "-G", "Ninja",
                   f"-DCMAKE_PREFIX_PATH={prefix or self.prefix}", f"-DCMAKE_CXX_COMPILER={compiler}",
                   "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-g1", *options, **how)
        return build, said

    def build(self, folder, target):
        return run(CMAKE, "--build", folder, "--target", target)

    @classmethod
    def flags(cls, *arguments):
        environment = dict(os.environ, PKG_CONFIG_PATH=str(next(cls.prefix.rglob("pkgconfig"))))
        return shlex.split(run("pkg-config", *arguments, env=environment))

    @staticmethod
    def report_of(program):
        """What the small program says of itself."""
        done = subprocess.run([program], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f"{program} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def check_all_is_traced(self, report):
        """The fiber and the coroutine, and that nothing is said to be missing."""
        of_the_machine = "cpu_throttled", "memory_near_limit"
        self.assertEqual([], [each for each in report["findings"] if each["kind"] not in of_the_machine])
        groups = report["green_threads"]["groups"]
        self.assertEqual(["coroutine", "fiber"], sorted(group["kind"] for group in groups))
