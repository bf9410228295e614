"""What a call costs in pydantic-monty's pool of worker processes, for `worker.rs` beside it. Prints JSON, in microseconds."""

import json
import statistics
import sys
import time

import pydantic_monty

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 500


# How far apart calls are, as in `worker.rs`.
PAUSE = 0.01


def measured(wait, call, count=COUNT):
    for _ in range(20):
        call()
    took = []
    for _ in range(count):
        wait()
        start = time.perf_counter_ns()
        call()
        took.append((time.perf_counter_ns() - start) / 1000)
    took.sort()
    return {"median": statistics.median(took), "p99": took[int(len(took) * 0.99)]}


def main():
    figures = {"version": pydantic_monty.__version__}
    with pydantic_monty.Monty(min_processes=2) as pool:

        def fresh_session():
            with pool.checkout() as session:
                assert session.feed_run("1 + 1") == 2

        figures["session from the warm pool"] = measured(lambda: time.sleep(PAUSE), fresh_session)
        figures["session from the warm pool, one after another"] = measured(lambda: None, fresh_session)
        with pool.checkout() as session:
            figures["feed to an open session"] = measured(lambda: None, lambda: session.feed_run("1 + 1"))
    with pydantic_monty.Monty(min_processes=2, max_checkouts_per_worker=1) as pool:

        def fresh_process():
            with pool.checkout() as session:
                assert session.feed_run("1 + 1") == 2
            time.sleep(0.02)

        def timed():
            start = time.perf_counter_ns()
            with pool.checkout() as session:
                session.feed_run("1 + 1")
            took = (time.perf_counter_ns() - start) / 1000
            time.sleep(0.02)
            return took

        fresh_process()
        took = sorted(timed() for _ in range(max(COUNT // 10, 20)))
        figures["session in a fresh process of the warm pool"] = {"median": statistics.median(took), "p99": took[-1]}

    def start():
        with pydantic_monty.Monty(min_processes=1) as pool, pool.checkout() as session:
            assert session.feed_run("1 + 1") == 2

    figures["Monty() started for one call"] = measured(lambda: None, start, max(COUNT // 20, 10))
    print(json.dumps(figures))


main()
