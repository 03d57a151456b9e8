"""What is kept of results: each made once, bounded in number and in bytes, the longest unasked dropped first."""

from __future__ import annotations

import asyncio

import pytest

from playground.kept import Kept


def making(made: list, value):
    async def make():
        made.append(value)
        await asyncio.sleep(0)
        if value == "bad":
            raise ValueError(value)
        return value

    return make


def test_it_is_made_once_for_all_who_ask_and_kept_by_bytes():
    async def told():
        made: list = []
        kept = Kept(10, 10, len)
        assert await asyncio.gather(*(kept.get("a", making(made, "aaaa")) for _ in range(3))) == ["aaaa"] * 3
        await kept.get("b", making(made, "bbbb"))
        assert made == ["aaaa", "bbbb"]
        await kept.get("a", making(made, "aaaa"))  # asked for last: b goes first
        kept.put("c", "cccc")
        assert (kept.peek("a"), kept.peek("b"), kept.peek("c")) == ("aaaa", None, "cccc")
        kept.put("a", kept.peek("a"))
        await kept.get("d", making(made, "dd"))
        assert kept.peek("c") and kept.peek("a")  # 10 bytes, just as much as may be
        await kept.get("e", making(made, "e"))
        assert kept.peek("c") is None and kept.peek("a") and made == ["aaaa", "bbbb", "dd", "e"]

    asyncio.run(told())


def test_one_result_alone_may_be_larger_and_what_fails_is_forgotten():
    async def told():
        made: list = []
        kept = Kept(2, 10, len)
        assert await kept.get("large", making(made, "x" * 50)) and kept.peek("large")
        with pytest.raises(ValueError):
            await kept.get("bad", making(made, "bad"))
        with pytest.raises(ValueError):
            await kept.get("bad", making(made, "bad"))
        assert made.count("bad") == 2
        kept.put("b", "b")
        kept.put("c", "c")
        assert kept.peek("large") is None and kept.peek("b") == "b" and kept.peek("c") == "c"

    asyncio.run(told())
