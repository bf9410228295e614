import asyncio


async def run():
    await asyncio.sleep(3600)
