import json
import re
import unittest

from cache_backend import Shelf
from jackfield import CacheEntry, CacheSize, HttpResponse, InvalidConfig, Unavailable
from jackfield.testing import FakeHost, OpenedCache


class Server:
    """A server that knows a few commands, whose clock the test moves."""

    def __init__(self):
        self.now, self.values = 0, {}

    def answer(self, method, url, body):
        command, *parts = json.loads(body)
        self.values = {key: kept for key, kept in self.values.items() if kept[1] is None or kept[1] > self.now}
        return HttpResponse(200, [], json.dumps({"result": getattr(self, command)(*parts)}).encode())

    def GET(self, key):
        return self.values.get(key, (None, None))[0]

    def MGET(self, *keys):
        return [self.GET(key) for key in keys]

    def SET(self, key, value, _px=None, ttl=None):
        self.values[key] = (value, None if ttl is None else self.now + int(ttl))
        return "OK"

    def DEL(self, *keys):
        return sum(self.values.pop(key, None) is not None for key in keys)

    def KEYS(self, pattern):
        prefix = re.sub(r"\\(.)", r"\1", pattern[:-1])
        return [key for key in self.values if key.startswith(prefix)]

    def PTTL(self, key):
        expires = self.values[key][1]
        return -1 if expires is None else expires - self.now


class ShelfTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.cache = OpenedCache(Shelf, host=FakeHost(server=self.server.answer))

    def test_any_bytes_are_found_under_any_key(self):
        for key, value in [("a", bytes(range(256))), ("a/b.c ä🦀*?[x]\\", b"x"), ("", b"")]:
            self.cache.put(key, value)
            self.assertEqual(self.cache.get(key), value)
        self.assertIsNone(self.cache.get("b"))
        self.assertTrue(self.cache.is_durable())

    def test_a_value_is_gone_when_its_time_is_over(self):
        self.cache.put("a", b"1", 0.15)
        self.cache.put("b", b"2", 60)
        self.server.now = 150
        self.assertEqual([self.cache.get("a"), self.cache.get("b")], [None, b"2"])
        self.cache.put("b", b"3", 0)
        self.assertIsNone(self.cache.get("b"))

    def test_operations_keep_to_their_prefix(self):
        for key in ["a*2", "b1", "a*1", "ab"]:
            self.cache.put(key, key.encode(), 9)
        self.server.values["another:a*3"] = ("00", None)
        self.assertEqual(self.cache.size("a*"), CacheSize(2, 12))
        self.assertEqual(self.cache.entries("a*", limit=1), [CacheEntry("a*1", b"a*1", 9.0)])
        self.assertEqual([one.key for one in self.cache.entries("a", after="a*1")], ["a*2", "ab"])
        self.assertEqual([self.cache.clear("a*"), self.cache.clear("a*")], [2, 0])
        self.cache.remove("b1")
        self.assertEqual([one.key for one in self.cache.entries()], ["ab"])
        self.assertIn("another:a*3", self.server.values)

    def test_a_server_of_another_kind_counts_as_unreachable(self):
        for body in [b"<html>", b"{}", b"[]", b'{"error": "ERR"}', b'{"result": "xy"}']:
            other = OpenedCache(Shelf, host=FakeHost(server=lambda *_: HttpResponse(200, [], body)))
            with self.assertRaises(Unavailable):
                other.get("a")

    def test_an_address_of_no_server_is_refused(self):
        with self.assertRaisesRegex(InvalidConfig, "does not begin with"):
            OpenedCache(Shelf, {"url": "127.0.0.1"})


if __name__ == "__main__":
    unittest.main()
