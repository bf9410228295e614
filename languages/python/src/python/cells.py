"""How a session that lives evaluates what awaits. `natives` holds the functions that are written in Rust."""

import asyncio
import os
import selectors

_AWAITS = 0x80  # inspect.CO_COROUTINE


async def whole(body, last, names):
    """Evaluates the statements of a cell, then its last expression, each of which may await."""
    value = eval(body, names)
    if body.co_flags & _AWAITS:
        await value
    if last is None:
        return None
    value = eval(last, names)
    return await value if last.co_flags & _AWAITS else value


class Loop:
    """The event loop of a session: tasks, queues and locks of one cell go on in the next one that awaits."""

    def __init__(self):
        self.loop = None
        self.process = os.getpid()

    def run(self, awaitable):
        # Put back only where it is not in doubt: a stop may leave what was stopped waiting in it.
        loop, self.loop = self.loop, None
        process, self.process = self.process, os.getpid()
        if loop is None or loop.is_closed():
            loop = asyncio.new_event_loop()
        elif process != self.process:
            _part(loop)
        natives.set_waker(lambda: loop.call_soon_threadsafe(int))
        sound = False
        try:
            asyncio.set_event_loop(loop)
            value = loop.run_until_complete(awaitable)
            sound = True
            return value
        except Exception:
            sound = True
            raise
        finally:
            asyncio.set_event_loop(None)
            natives.set_waker(None)
            # Its threads end with the cell.
            pool, loop._default_executor = loop._default_executor, None
            if pool is not None:
                pool.shutdown(wait=False)
            if sound:
                self.loop = loop
            else:
                loop.set_exception_handler(_quiet)
                loop.close()

    def close(self):
        loop, self.loop = self.loop, None
        if loop is not None and not loop.is_closed():
            if self.process != os.getpid():
                _part(loop)
            loop.set_exception_handler(_quiet)
            loop.close()


def _part(loop):
    """Has a loop wait by itself, in a process that was forked: what it waits with is shared with the process before."""
    # Only closed, not unregistered: the other process would not be woken any more.
    loop._selector.close()
    loop._ssock.close()
    loop._csock.close()
    loop._internal_fds -= 1
    loop._selector = selectors.DefaultSelector()
    loop._make_self_pipe()


def _quiet(loop, context):
    pass
