"""The diamond of the engine benchmark in Python frameworks: prints CPU microseconds per node execution.

Usage: peers.py asyncio|haystack|langgraph|dask|prefect
"""

import os
import sys
import time

ITEMS = int(os.environ.get("PEERS_ITEMS", "2000"))
NODES = 4


def report(run, items=ITEMS):
    run(max(items // 20, 1))
    began = time.process_time()
    run(items)
    print(f"{(time.process_time() - began) / (items * NODES) * 1e6:.1f}")


def use_asyncio():
    import asyncio

    async def node(n):
        return n

    async def join(a, b):
        return a + b

    async def one(n):
        top = await node(n)
        left, right = await asyncio.gather(node(top), node(top))
        return await join(left, right)

    async def every(items):
        for n in range(items):
            await one(n)

    report(lambda items: asyncio.run(every(items)), ITEMS * 10)


def use_haystack():
    from haystack import Pipeline, component

    @component
    class Pass:
        @component.output_types(n=int)
        def run(self, n: int):
            return {"n": n}

    @component
    class Join:
        @component.output_types(n=int)
        def run(self, left: int, right: int):
            return {"n": left + right}

    pipeline = Pipeline()
    for name in ["top", "left", "right"]:
        pipeline.add_component(name, Pass())
    pipeline.add_component("bottom", Join())
    pipeline.connect("top.n", "left.n")
    pipeline.connect("top.n", "right.n")
    pipeline.connect("left.n", "bottom.left")
    pipeline.connect("right.n", "bottom.right")

    def run(items):
        for n in range(items):
            pipeline.run({"top": {"n": n}})

    report(run)


def use_langgraph():
    import operator
    from typing import Annotated, TypedDict

    from langgraph.graph import END, START, StateGraph

    class State(TypedDict):
        n: int
        found: Annotated[list, operator.add]

    graph = StateGraph(State)
    graph.add_node("top", lambda state: {"found": [state["n"]]})
    graph.add_node("left", lambda state: {"found": [state["n"]]})
    graph.add_node("right", lambda state: {"found": [state["n"]]})
    graph.add_node("bottom", lambda state: {"n": sum(state["found"])})
    graph.add_edge(START, "top")
    graph.add_edge("top", "left")
    graph.add_edge("top", "right")
    graph.add_edge(["left", "right"], "bottom")
    graph.add_edge("bottom", END)
    compiled = graph.compile()

    def run(items):
        compiled.batch([{"n": n, "found": []} for n in range(items)])

    report(run)


def use_dask():
    import dask

    @dask.delayed
    def node(n):
        return n

    @dask.delayed
    def join(a, b):
        return a + b

    def run(items):
        found = []
        for n in range(items):
            top = node(n)
            found.append(join(node(top), node(top)))
        dask.compute(*found, scheduler="threads")

    report(run)


def use_prefect():
    from prefect import flow, task

    @task
    def node(n):
        return n

    @task
    def join(a, b):
        return a + b

    @flow
    def every(items):
        for n in range(items):
            top = node(n)
            join(node(top), node(top))

    report(every, max(ITEMS // 100, 2))


if __name__ == "__main__":
    peer = {"asyncio": use_asyncio, "haystack": use_haystack, "langgraph": use_langgraph, "dask": use_dask, "prefect": use_prefect}
    try:
        peer[sys.argv[1]]()
    except ImportError:
        print("not installed")
