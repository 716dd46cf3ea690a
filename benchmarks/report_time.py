#!/usr/bin/env python3
"""What reports of a queue-server cost it: report_time.py [--clients N] [--reports N] [--binary PATH]

Starts a queue-server of this build with N idle HTTP clients and as many idle WebSocket clients, asks for reports, and prints
what each says about itself (cost) and how long it took from the signal to the last byte.
"""
import argparse
import asyncio
import os
import pathlib
import signal
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "e2e"))
import harness  # noqa: E402  (needs the path above)
import reports  # noqa: E402

COLUMNS = (("wall", "wall"), ("total", "total_seconds"), ("capture", "capture_seconds"), ("resolve", "resolve_seconds"),
           ("sections", "sections_seconds"))


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(server):
    """One report: its cost, and what was seen from outside."""
    cpu, errors = cpu_seconds(server.process.pid), server.directory / "stderr"
    before, begin = errors.stat().st_size, time.monotonic()
    server.process.send_signal(signal.SIGUSR2)
    while not errors.read_bytes()[before:].endswith(b"\n"):
        time.sleep(0.0005)
    wall = time.monotonic() - begin
    return reports.jsons(server.stderr())[-1]["cost"] | {
        "wall": wall, "cpu": cpu_seconds(server.process.pid) - cpu,
        "resident": reports.resident_kilobytes(server.process.pid) / 1024}


async def connect(server, count):
    """Connections that wait for the next request."""
    import websockets

    http = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection(*server.http.rsplit(":", 1))
        writer.write(b"GET /v2/ping HTTP/1.1\r\nHost: benchmark\r\nClient-ID: 30387f00-39a0-11f1-9dcb-0800200c9a66\r\n"
                     b"X-Project-Id: benchmark\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        http.append(writer)
    return http, [await websockets.connect(f"ws://{server.websocket}", subprotocols=None) for _ in range(count)]


async def run(arguments):
    with harness.Server("--oslo_reports.format=json", *arguments.option) as server:
        before = reports.resident_kilobytes(server.process.pid) / 1024
        http, websockets = await connect(server, arguments.clients)
        print(f"{2 * arguments.clients} idle clients; {before:.1f} MiB resident before the first report")
        print("report  " + "".join(f"{name:>10}" for name, _ in COLUMNS) + "       cpu  resident")
        for number in range(1, arguments.reports + 1):
            time.sleep(arguments.pause)  # more than the least time between reports
            cost = measured(server)
            times = "".join(f"{cost[key] * 1000:7.1f} ms" for _, key in COLUMNS)
            print(f"{number:6}  {times} {cost['cpu'] * 1000:6.0f} ms {cost['resident']:5.1f} MiB")
        for client in websockets:
            await client.close()
        for client in http:
            client.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--reports", type=int, default=5)
    parser.add_argument("--pause", type=float, default=1, help="seconds before each report")
    parser.add_argument("--binary", help="the queue-server; default: that of build/release")
    parser.add_argument("option", nargs="*", help="options of the queue-server, after --")
    arguments = parser.parse_args()
    if arguments.binary:
        harness.BINARY = arguments.binary
    asyncio.run(run(arguments))


if __name__ == "__main__":
    main()
