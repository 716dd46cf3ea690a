#!/usr/bin/env python3
"""Durable posts, beside peers: queue-server, `beanstalkd -f 0` and Redis with `appendfsync always`, in one run.

durable_posts.py [--rounds N] [--seconds N] [--connections N] [--workers N...] [--directory DIR] [--build DIR]
Each server in turn, many rounds in an order that changes: posts a second, and how long a post takes, medians of the rounds;
then how many times a peer's posts queue-server takes, with a 95 % confidence interval. All of them write below DIR, which
should be on a disk: the time of an fdatasync there is printed, too. At last the posts of one project while another does its
worst: posts of thousands of messages, and a long queue that is deleted again and again. Needs the target durable_posts.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import paired

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "e2e"))
import harness  # noqa: E402  (needs the path above)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def peer(command, port, seconds=60):
    """A server that is not ours, once it answers."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{command[0]} does not serve")
            time.sleep(0.01)
        yield port
    finally:
        process.kill()
        process.wait()


def beanstalkd(directory):
    port = free_port()
    return peer(["beanstalkd", "-l", "127.0.0.1", "-p", str(port), "-b", directory, "-f", "0"], port)


def redis(directory):
    port = free_port()
    return peer(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", directory, "--appendonly", "yes",
                 "--appendfsync", "always", "--save", ""], port)


@contextlib.contextmanager
def queue_server(directory, workers):
    with harness.Server(f"--server.workers={workers}", directory=directory) as server:
        yield int(server.http.rsplit(":", 1)[1])


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.client = arguments.build / "bin" / "durable_posts"
        self.protocols = {}  # name: (protocol, server)
        for workers in arguments.workers:
            name = "queue-server" + (f", {workers} workers" if workers > 1 else "")
            self.protocols[name] = ("http", lambda directory, workers=workers: queue_server(directory, workers))
        for name, program, started in (("beanstalkd -f 0", "beanstalkd", beanstalkd),
                                       ("Redis, appendfsync always", "redis-server", redis)):
            if shutil.which(program):
                self.protocols[name] = (name.split()[0].strip(",").lower(), started)
            else:
                print(f"{program} is not installed: config/install-packages.sh bench")

    def load(self, protocol, port):
        done = subprocess.run([self.client, protocol, str(port), str(self.arguments.connections),
                               str(self.arguments.seconds)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{protocol}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def round(self, name):
        protocol, started = self.protocols[name]
        with tempfile.TemporaryDirectory(dir=self.arguments.directory) as directory, started(directory) as port:
            return self.load(protocol, port)

    def run(self):
        results = {name: [] for name in self.protocols}
        for _ in range(self.arguments.rounds):
            for name in random.sample(list(results), len(results)):
                results[name].append(self.round(name))
        rate = {name: [each["posts"] / each["seconds"] for each in rounds] for name, rounds in results.items()}
        print(f"\n{self.arguments.connections} connections, {self.arguments.rounds} rounds of {self.arguments.seconds} s")
        for name, rounds in results.items():
            show(name, statistics.median(rate[name]), rounds)
        ours = [name for name in rate if name.startswith("queue-server")]
        for name in ours:
            for other in set(rate) - set(ours):
                middle, low, high = paired.interval([mine / its for mine, its in zip(rate[name], rate[other])])
                print(f"{name}: {middle:.2f} times {other} ({low:.2f} to {high:.2f})")

    def beside_the_worst(self, workers):
        with tempfile.TemporaryDirectory(dir=self.arguments.directory) as directory, \
                harness.Server(f"--server.workers={workers}", directory=directory) as server, worst(server):
            time.sleep(2)  # until it has begun to delete
            shown = self.load("http", int(server.http.rsplit(":", 1)[1]))
            show(f"queue-server, {workers} worker(s), beside the worst", shown["posts"] / shown["seconds"], [shown])


def show(name, rate, rounds):
    median = {key: statistics.median(each[key] for each in rounds) for key in ("p50_us", "p99_us", "p999_us")}
    print(f"{name:44} {rate:8.0f} posts/s   p50 {median['p50_us']:7.0f} us   p99 {median['p99_us']:7.0f} us   "
          f"p999 {median['p999_us']:7.0f} us")


@contextlib.contextmanager
def worst(server):
    """Another project: large posts without pause from two clients, and its queue deleted now and then."""
    over = threading.Event()
    many = json.dumps({"messages": [{"ttl": 3600, "body": 1}] * 15000})

    def post():
        with server.client("worst") as ask:
            while not over.is_set():
                for _ in range(4):
                    ask("POST", "/v2/queues/long/messages", many)
                ask("DELETE", "/v2/queues/long")

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def show_disk(directory):
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        times = []
        for _ in range(200):
            os.write(file.fileno(), bytes(4096))
            since = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - since)
    print(f"an fdatasync of 4 KiB takes {statistics.median(times) * 1e6:.0f} us")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=5, help="of load, each time")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--directory", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build" / "release")
    arguments = parser.parse_args()
    harness.BINARY = str(arguments.build / "bin" / "queue-server")
    show_disk(arguments.directory)
    bench = Bench(arguments)
    bench.run()
    for workers in arguments.workers:
        bench.beside_the_worst(workers)


if __name__ == "__main__":
    main()
