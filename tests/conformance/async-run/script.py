import asyncio


async def run(n):
    await asyncio.sleep(0.001)
    return n * 2
