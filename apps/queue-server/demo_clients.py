#!/usr/bin/env python3
"""Load for the demonstration: HTTP and WebSocket clients that post, claim and wait until ended."""
import asyncio
import http.client
import json
import os
import signal
import sys
import threading
import time
import uuid

import websockets

HTTP_CLIENTS = 20
WEBSOCKET_CLIENTS = 20
IDLE_EVERY = 2  # one client in two stays connected and waits


def http_client(address, number, connected):
    headers = {"Client-ID": str(uuid.uuid4()), "X-Project-Id": "demo", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(address, timeout=10)
    queue = f"/v2/queues/orders-{number % 4}"

    def request(method, path, body=None):
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status}")

    request("PUT", queue)
    connected.release()
    while not number % IDLE_EVERY:
        request("POST", queue + "/messages", {"messages": [{"ttl": 300, "body": {"order": number}}]})
        request("POST", queue + "/claims?limit=2", {"ttl": 300, "grace": 60})
        time.sleep(0.01)
    threading.Event().wait()  # stays connected


async def websocket_client(address, number, connected):
    headers = {"Client-ID": str(uuid.uuid4()), "X-Project-ID": "demo"}
    async with websockets.connect(f"ws://{address}") as socket:

        async def call(action, **body):
            await socket.send(json.dumps({"action": action, "headers": headers, "body": body}))
            answer = json.loads(await socket.recv())
            if answer["headers"]["status"] >= 400:
                raise RuntimeError(f"{action}: {answer}")

        queue = f"events-{number % 4}"
        await call("queue_create", queue_name=queue)
        connected.release()
        while not number % IDLE_EVERY:
            await call("message_post", queue_name=queue, messages=[{"ttl": 300, "body": number}])
            await call("claim_create", queue_name=queue, ttl=300, grace=60, limit=2)
            await asyncio.sleep(0.01)
        await asyncio.Future()


async def main():
    http_address, websocket_address = sys.argv[1:3]
    connected = threading.Semaphore(0)
    threads = [threading.Thread(target=http_client, args=(http_address, n, connected), daemon=True)
               for n in range(HTTP_CLIENTS)]
    for thread in threads:
        thread.start()
    tasks = [asyncio.create_task(websocket_client(websocket_address, n, connected))
             for n in range(WEBSOCKET_CLIENTS)]
    await asyncio.to_thread(lambda: [connected.acquire() for _ in range(HTTP_CLIENTS + WEBSOCKET_CLIENTS)])
    print("connected", flush=True)
    # The clients have no end of their own: the signal ends them wherever they are.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, os._exit, 0)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(main())
