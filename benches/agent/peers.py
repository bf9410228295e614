"""The ten feeds of `feeds.py` in other sessions, for `session.rs` beside this folder. Prints JSON, in microseconds."""

import json
import pathlib
import statistics
import subprocess
import sys
import time

FEEDS = pathlib.Path(__file__).with_name("feeds.py").read_text().split("###\n")
ANSWER = "3 orders, total 21.6, biggest B2\n"
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 100


def measured(run, count):
    for _ in range(3):
        run()
    took = []
    for _ in range(count):
        start = time.perf_counter_ns()
        run()
        took.append((time.perf_counter_ns() - start) / 1000)
    return {"median": statistics.median(took), "p99": sorted(took)[int(len(took) * 0.99)]}


def monty():
    import pydantic_monty

    figures = {"version": pydantic_monty.__version__}
    with pydantic_monty.Monty(min_processes=2) as pool:

        def feed(session):
            printed = []
            for code in FEEDS:
                session.feed_run(code, print_callback=lambda stream, text: printed.append(text))
            assert "".join(printed) == ANSWER, printed

        def whole():
            with pool.checkout() as session:
                feed(session)

        figures["session and ten feeds"] = measured(whole, COUNT)
        with pool.checkout() as session:
            figures["ten feeds"] = measured(lambda: feed(session), COUNT)
    return figures


def jupyter():
    import ipykernel
    from jupyter_client.manager import start_new_kernel

    start = time.perf_counter_ns()
    manager, client = start_new_kernel(kernel_name="python3")
    figures = {"version": ipykernel.__version__, "start": (time.perf_counter_ns() - start) / 1000}
    try:

        def feed():
            printed = []

            def hook(message):
                if message["header"]["msg_type"] == "stream":
                    printed.append(message["content"]["text"])

            for code in FEEDS:
                client.execute_interactive(code, output_hook=hook)
            assert "".join(printed) == ANSWER, printed

        figures["ten feeds"] = measured(feed, max(COUNT // 5, 10))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return figures


def pipe():
    def start():
        return subprocess.Popen(
            [sys.executable, "-i", "-q", "-u"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def feed(process):
        printed = []
        for code in FEEDS:
            process.stdin.write(f"exec({code!r})\nprint('---')\n")
            process.stdin.flush()
            while (line := process.stdout.readline()) != "---\n":
                printed.append(line)
        assert "".join(printed) == ANSWER, printed

    def whole():
        process = start()
        feed(process)
        process.kill()
        process.wait()

    figures = {"process and ten feeds": measured(whole, max(COUNT // 5, 10))}
    process = start()
    figures["ten feeds"] = measured(lambda: feed(process), COUNT)
    process.kill()
    return figures


def main():
    figures = {}
    for peer in (monty, jupyter, pipe):
        try:
            figures[peer.__name__] = peer()
        except ImportError as error:
            figures[peer.__name__] = f"left out: {error}"
    print(json.dumps(figures))


main()
