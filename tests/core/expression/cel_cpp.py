"""
cel-cpp, through its binding for Python, as a program: one JSON object a line, one a line back.

    {"expr": "event.n + 1", "event": {"n": 1}}  →  {"is": ["int", "2"]}  or  {"error": "…"}

A program of its own, since the binding can end the process that it runs in.
"""

import json
import math
import signal
import sys
from typing import Any

from cel_expr_python import cel

_EXTENSIONS = (
    "bindings", "encoders", "lists", "math", "optional", "regex", "sets", "strings",
    "two-var-comprehensions",
)  # fmt: skip

_PATIENCE_S = 3
"""Nothing there bounds what an expression costs: the alarm ends the process."""


def main() -> None:
    """Answer line by line."""
    config = "extensions:\n" + "".join(f"- name: {name}\n" for name in _EXTENSIONS)
    env = cel.NewEnv(config=cel.NewEnvConfigFromYaml(config), variables={"event": cel.Type.DYN})
    for line in sys.stdin:
        signal.alarm(_PATIENCE_S)
        case = json.loads(line)
        sys.stdout.write(json.dumps(_answer(env, case["expr"], case["event"])) + "\n")
        sys.stdout.flush()


def _answer(env: Any, expr: str, event: Any) -> dict[str, Any]:
    try:
        # A null as the result itself ends the process; in a list it does not.
        found = env.compile(f"[{expr}]", disable_check=True).eval(data={"event": event})
        if found.type().name() == "ERROR":
            return {"error": str(found.plain_value())}
        return {"is": _tagged(found.value()[0])}
    except (RuntimeError, TypeError, ValueError, OverflowError) as exc:
        return {"error": f"{exc.__class__.__name__}: {exc}"}


def _tagged(value: Any) -> list[Any]:
    name = value.type().name().partition("<")[0].lower()
    if name == "list":
        return [name, [_tagged(item) for item in value.value()]]
    if name == "map":
        pairs = ([str(key), _tagged(inner)] for key, inner in value.value().items())
        return [name, sorted(pairs)]
    plain: Any = None if name in ("null", "null_type") else value.plain_value()
    if name == "double":
        return [name, "nan" if math.isnan(plain) else repr(plain)]
    if name == "bytes":
        return [name, bytes(plain).hex()]
    if name == "timestamp":
        return [name, plain.isoformat()]
    if name == "duration":
        return [name, repr(plain)]
    if name == "type":
        return [name, str(plain.name()).partition("<")[0].lower()]
    return [name, str(plain)]


if __name__ == "__main__":
    main()
