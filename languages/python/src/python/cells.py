"""How a session that lives evaluates what awaits. `natives` holds the functions that are written in Rust."""

import asyncio

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

    def run(self, awaitable):
        # Put back only where it is not in doubt: a stop may leave what was stopped waiting in it.
        loop, self.loop = self.loop, None
        if loop is None or loop.is_closed():
            loop = asyncio.new_event_loop()
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
            loop.set_exception_handler(_quiet)
            loop.close()


def _quiet(loop, context):
    pass
