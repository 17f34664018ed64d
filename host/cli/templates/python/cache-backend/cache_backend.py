"""The cache backend `{{name}}`: keeps values on a server that takes the commands of Redis over HTTP."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import jackfield
from jackfield import CacheEntry, CacheSize, Host, InvalidConfig, Permission, Unavailable


@dataclass
class Shelf(jackfield.CacheBackend):
    """Keeps values on a server that takes the commands of Redis over HTTP.

    A command is a JSON list, as in `["GET", "key"]`, and its answer `{"result": "value"}`, as Upstash has it. Each key has the
    namespace before it, and each value is written in hexadecimal digits. The server forgets a value when its time is over."""

    NAME = "{{name}}"

    url: Annotated[str, "Where the server listens."] = "http://127.0.0.1:8079"
    namespace: Annotated[str, "What each key on the server begins with, so that several can share it."] = "{{name}}:"

    @classmethod
    def permissions(cls) -> list[Permission]:
        return [Permission("http:*", "to reach the server that `url` names")]

    def open(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise InvalidConfig(f"`url`: {self.url} does not begin with `http://` or `https://`")

    def get(self, key: str, host: Host) -> bytes | None:
        return self._value(self._ask(host, "GET", self.namespace + key))

    def put(self, key: str, value: bytes, ttl: float | None, host: Host) -> None:
        milliseconds = None if ttl is None else int(ttl * 1000)
        if milliseconds is None:
            self._ask(host, "SET", self.namespace + key, value.hex())
        elif milliseconds > 0:
            self._ask(host, "SET", self.namespace + key, value.hex(), "PX", str(milliseconds))
        else:
            self.remove(key, host)

    def remove(self, key: str, host: Host) -> None:
        self._ask(host, "DEL", self.namespace + key)

    def clear(self, prefix: str, host: Host) -> int:
        keys = self._keys(prefix, host)
        return int(self._ask(host, "DEL", *(self.namespace + key for key in keys))) if keys else 0

    def size(self, prefix: str, host: Host) -> CacheSize:
        held = self._held(self._keys(prefix, host), host)
        return CacheSize(len(held), sum(len(key.encode()) + len(value) for key, value in held))

    def entries(self, prefix: str, after: str | None, limit: int, host: Host) -> list[CacheEntry]:
        keys = self._keys(prefix, host)
        if after is not None:
            keys = [key for key in keys if key.encode() > after.encode()]
        entries = []
        for key, value in self._held(keys[:limit], host):
            left = int(self._ask(host, "PTTL", self.namespace + key))
            entries.append(CacheEntry(key, value, None if left < 0 else left / 1000))
        return entries

    def is_durable(self) -> bool:
        return True

    def _keys(self, prefix: str, host: Host) -> list[str]:
        """The keys that begin so, without the namespace, in order of their bytes."""
        pattern = "".join(f"\\{one}" if one in "*?[]\\" else one for one in self.namespace + prefix) + "*"
        keys = self._ask(host, "KEYS", pattern) or []
        return sorted((key[len(self.namespace) :] for key in keys), key=str.encode)

    def _held(self, keys: list[str], host: Host) -> list[tuple[str, bytes]]:
        """The keys whose values are still there, with these."""
        found = self._ask(host, "MGET", *(self.namespace + key for key in keys)) if keys else []
        values = [self._value(one) for one in found]
        return [(key, value) for key, value in zip(keys, values) if value is not None]

    def _value(self, digits: Any) -> bytes | None:
        try:
            return None if digits is None else bytes.fromhex(digits)
        except (TypeError, ValueError):
            raise Unavailable(f"a value at {self.url} is not in hexadecimal digits") from None

    def _ask(self, host: Host, *command: str) -> Any:
        """What the server answers to a command."""
        answer = host.fetch(self.url, method="POST", body=json.dumps(command).encode())
        try:
            found = json.loads(answer.body)
            if "error" in found:
                raise Unavailable(f"{self.url} refused {command[0]}: {found['error']}")
            return found["result"]
        except (ValueError, KeyError, TypeError):
            raise Unavailable(f"{self.url} does not answer as Redis does (status {answer.status})") from None


Meta, Extension, CacheBackend = jackfield.export_plugin(Shelf, version="0.1.0")
