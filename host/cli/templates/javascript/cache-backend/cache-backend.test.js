import assert from "node:assert/strict";
import { test } from "node:test";

import { shelf } from "./cache-backend.js";
import { FakeHost, openCache } from "./vendor/jackfield/testing.js";

/** A server that knows a few commands, and whose clock the test moves. */
class Server {
  now = 0;
  values = new Map();

  cache = openCache(shelf, { host: new FakeHost({ server: ({ body }) => this.answer(JSON.parse(Buffer.from(body))) }) });

  answer([command, ...parts]) {
    for (const [key, { until }] of this.values) if (until <= this.now) this.values.delete(key);
    return { status: 200, body: JSON.stringify({ result: this[command](...parts) }) };
  }

  GET(key) {
    return this.values.get(key)?.value ?? null;
  }

  MGET(...keys) {
    return keys.map((key) => this.GET(key));
  }

  SET(key, value, _px, ttl) {
    this.values.set(key, { value, until: ttl === undefined ? Infinity : this.now + Number(ttl) });
    return "OK";
  }

  DEL(...keys) {
    return keys.filter((key) => this.values.delete(key)).length;
  }

  KEYS(pattern) {
    const prefix = pattern.slice(0, -1).replace(/\\(.)/g, "$1");
    return [...this.values.keys()].filter((key) => key.startsWith(prefix));
  }

  PTTL(key) {
    const { until } = this.values.get(key);
    return until === Infinity ? -1 : until - this.now;
  }
}

const text = (bytes) => bytes && Buffer.from(bytes).toString();

test("any bytes are found under any key", () => {
  const { cache } = new Server();
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const [key, value] of [["a", all], ["a/b.c ä🦀*?[x]\\", new Uint8Array([120])], ["", new Uint8Array()]]) {
    cache.put(key, value);
    assert.deepEqual(cache.get(key), value);
  }
  assert.equal(cache.get("b"), undefined);
  assert.equal(cache.isDurable(), true);
});

test("a value is gone when its time is over", () => {
  const server = new Server();
  server.cache.put("a", "1", 150);
  server.cache.put("b", "2", 60_000);
  server.now = 150;
  assert.deepEqual([text(server.cache.get("a")), text(server.cache.get("b"))], [undefined, "2"]);
  server.cache.put("b", "3", 0);
  assert.equal(server.cache.get("b"), undefined);
});

test("operations keep to their prefix", () => {
  const server = new Server();
  const { cache } = server;
  for (const key of ["a*2", "b1", "a*1", "ab"]) cache.put(key, key, 9000);
  server.values.set("another:a*3", { value: "00", until: Infinity });
  assert.deepEqual(cache.size("a*"), { entries: 2, bytes: 12 });
  const page = cache.entries("a*", undefined, 1);
  assert.deepEqual(page.map(({ key, value, ttlMs }) => [key, text(value), ttlMs]), [["a*1", "a*1", 9000]]);
  assert.deepEqual(cache.entries("a", "a*1").map(({ key }) => key), ["a*2", "ab"]);
  assert.deepEqual([cache.clear("a*"), cache.clear("a*")], [2, 0]);
  cache.remove("b1");
  assert.deepEqual(cache.entries().map(({ key }) => key), ["ab"]);
  assert.ok(server.values.has("another:a*3"));
});

test("keys are in order of their bytes", () => {
  const { cache } = new Server();
  for (const key of ["\ue000", "🦀", "é", "ea", "e"]) cache.put(key, "");
  assert.deepEqual(cache.entries().map(({ key }) => key), ["e", "ea", "é", "\ue000", "🦀"]);
  assert.equal(cache.size().bytes, 1 + 2 + 2 + 3 + 4);
});

test("a server of another kind counts as unreachable", () => {
  for (const body of ["<html>", "{}", "[]", '{"error": "ERR"}', '{"result": "xy"}']) {
    const other = openCache(shelf, { host: new FakeHost({ server: () => ({ status: 200, body }) }) });
    assert.throws(() => other.get("a"), { kind: "unavailable" });
  }
});

test("an address of no server is refused", () => {
  assert.throws(() => openCache(shelf, { config: { url: "127.0.0.1" } }), { message: /does not begin with/ });
});
