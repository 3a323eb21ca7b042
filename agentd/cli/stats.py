"""``agentctl stats``: the daemon in figures, on one screen, in full, or for Prometheus."""

from __future__ import annotations

from agentd.cli import command as c
from agentd.cli import output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from typing import Any

Row = tuple[str, ...]

STAGES = ("keyword", "embed_query", "vector", "names", "ranking", "rerank", "rows", "verify", "refresh", "pack")


QUANTILES = (("p50", "p50"), ("p99", "p99"), ("worst", "max"))
"""What people read -> how the daemon has it."""


def arguments(parser: ArgumentParser) -> None:
    """What ``stats`` takes."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--all", action="store_true", help="every figure, one a line")
    form.add_argument("--prometheus", action="store_true", help="what metrics.textfile would hold")


def stats(args: Namespace) -> int:
    """Print the daemon's counters and timings."""
    with c.connect(args) as client:
        if args.prometheus:
            output.say(client.metrics().rstrip("\n"))
            return c.FOUND
        values = client.stats()
    if args.json:
        output.say_json(values)
    elif args.all:
        output.say(*output.table(flat(values)))
    else:
        output.say(*screen(values, output.screen()))
    return c.FOUND


def screen(values: dict[str, Any], on: output.Screen) -> list[str]:
    """What people look for first. What an older daemon does not tell is left out."""
    lines = process(values)
    for title, rows in (
        (("requests", "all", "last minute", "p50 ms", "p99 ms", "failed"), requests(values)),
        (("search, by stage", "times", "p50 ms", "p99 ms", "max ms"), timings(values, "search_stage_ms")),
        (("indexing, by stage", "times", "p50 ms", "p99 ms", "max ms"), timings(values, "index_stage_ms")),
        (("workers, by kernel", "times", "p50 ms", "p99 ms", "waited p99 ms"), kernels(values)),
        (("tools of the agent", "calls", "p50 ms", "p99 ms", "max ms", "failed"), tools(values)),
        (("lanes", "workers", "busy", "waiting", "done", "failed", "ended"), lanes(values)),
    ):
        if found := [*rows]:
            heading, *table = aligned([title, *found])
            lines += ["", on.paint(heading, output.BOLD), *table]
    return [*lines, "", *output.table(facts(values))]


def aligned(rows: list[Row]) -> list[str]:
    """Columns with the names to the left and the figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    figures = ((row[0], zip(row[1:], widths[1:], strict=True)) for row in rows)
    return ["  ".join([name.ljust(widths[0]), *(cell.rjust(wide) for cell, wide in cells)]) for name, cells in figures]


def process(values: dict[str, Any]) -> list[str]:
    """One line about the daemon itself."""
    own, workers = values.get("process", {}), values.get("compute", {}).get("workers", [])
    if not own:
        return []
    lived = f"up {output.duration(own['uptime_seconds'])}, process {own['pid']}"
    memory = output.size(sum(worker["rss_bytes"] for worker in workers))
    return [f"{lived}, memory {output.size(own['rss_bytes'])} and {memory} in {len(workers)} workers"]


def requests(values: dict[str, Any]) -> Iterator[Row]:
    """A row a method that was called, the busiest first; times are of the last minute."""
    server = values.get("server", {})
    called = sorted(server.get("requests", {}).items(), key=lambda item: (-item[1], item[0]))
    for method, count in called:
        recent = server.get("recent", {}).get(method, {})
        outcomes = server.get("outcomes", {}).get(method, {})
        failed = sum(times for outcome, times in outcomes.items() if outcome not in {"ok", "cancelled"})
        times = [milliseconds(recent[name]) if recent.get("count") else "" for name in ("p50", "p99")]
        yield f"  {output.clean(method)}", f"{count:,}", f"{recent.get('count', 0):,}", *times, some(failed)


def timings(values: dict[str, Any], name: str) -> Iterator[Row]:
    """A row a stage, those of a search in the order in which they come."""
    for labels, times in sorted(labelled(values, name), key=lambda each: place(each[0]["stage"])):
        figures = (milliseconds(times[each]) for each in ("p50", "p99", "max"))
        yield f"  {labels['stage']}", f"{times['count']:,}", *figures


def place(stage: str) -> int:
    """Where a stage stands; unknown ones at the end."""
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def kernels(values: dict[str, Any]) -> Iterator[Row]:
    """A row for each kernel of each lane."""
    waits = {(labels["lane"], labels["kernel"]): times for labels, times in labelled(values, "task_wait_ms")}
    for labels, times in labelled(values, "task_run_ms"):
        key = labels["lane"], labels["kernel"]
        waited = milliseconds(waits[key]["p99"]) if key in waits else ""
        name = f"  {key[1]} ({key[0]})"
        yield name, f"{times['count']:,}", milliseconds(times["p50"]), milliseconds(times["p99"]), waited


def tools(values: dict[str, Any]) -> Iterator[Row]:
    """A row a tool that runs of the agent called, the busiest first; a call that ended with its run is no failure."""
    failed: dict[str, int] = {}
    for labels, count in counted(values, "agent_tool_calls"):
        if labels["outcome"] not in {"ok", "cancelled"}:
            failed[labels["tool"]] = failed.get(labels["tool"], 0) + count
    called = labelled(values, "agent_tool_milliseconds")
    for labels, times in sorted(called, key=lambda each: (-each[1]["count"], each[0]["tool"])):
        figures = (milliseconds(times[each]) for each in ("p50", "p99", "max"))
        yield f"  {labels['tool']}", f"{times['count']:,}", *figures, some(failed.get(labels["tool"], 0))


def labelled(values: dict[str, Any], name: str) -> Iterator[tuple[dict[str, str], dict[str, float]]]:
    """(labels, histogram) of every ``name{label=value}...`` that has observed anything."""
    for labels, value in metrics(values, name):
        if isinstance(value, dict) and value.get("count"):
            yield labels, value


def counted(values: dict[str, Any], name: str) -> Iterator[tuple[dict[str, str], int]]:
    """(labels, count) of every counter ``name{label=value}...`` that has counted anything."""
    for labels, value in metrics(values, name):
        if isinstance(value, int) and value:
            yield labels, value


def metrics(values: dict[str, Any], name: str) -> Iterator[tuple[dict[str, str], Any]]:
    """(labels, value) of every metric of that name."""
    for key, value in values.get("metrics", {}).items():
        head, *labels = key.split("{")
        if head == name:
            pairs = (label.removesuffix("}").partition("=") for label in labels)
            yield {output.clean(each): output.clean(text) for each, _, text in pairs}, value


def lanes(values: dict[str, Any]) -> Iterator[Row]:
    """A row a lane."""
    for name, lane in values.get("compute", {}).get("lanes", {}).items():
        counts = [lane["workers"], lane["busy"], lane["queued"], lane["done"], lane["failed"]]
        yield f"  {output.clean(name)}", *(f"{count:,}" for count in counts), some(lane["restarts"])


def facts(values: dict[str, Any]) -> Iterator[Row]:
    """Lines of a name and a sentence."""
    if lag := values.get("loop_lag"):
        yield "loop lag", ", ".join(f"{name} {milliseconds(lag[f'{key}_ms'])} ms" for name, key in QUANTILES)
    yield from caches(values)
    yield from agent(values)
    for name, view in values.get("views", {}).items():
        behind = f"{view['behind']:,} changes and {output.duration(view['behind_seconds'])} behind"
        yield f"{output.clean(name)} view", behind if view["behind"] else "current"
    if server := values.get("server"):
        refused = sum(server.get("refused", {}).values())
        now = f"{server.get('connections', 0):,} connected, {server.get('in_flight', 0):,} requests open"
        yield "clients", f"{now}, {refused:,} refused"
    if services := values.get("services"):
        yield "failed", output.counts(services)


def caches(values: dict[str, Any]) -> Iterator[Row]:
    """How much of what was asked for was there already."""
    if cache := values.get("cache"):
        hits = cache["memory_hits"] + cache["disk_hits"]
        yield "embeddings", share(hits, hits + cache["misses"], "found in the cache")
    metrics = values.get("metrics", {})
    hits, misses = (metrics.get(f"query_vectors{{result={result}}}", 0) for result in ("hit", "miss"))
    yield "queries", share(hits, hits + misses, "had their vector already")


def agent(values: dict[str, Any]) -> Iterator[Row]:
    """How runs of the agent ended, and what they took; nothing as long as there was none."""
    ended = {labels["state"]: count for labels, count in counted(values, "agent_runs")}
    running = values.get("agent", {}).get("running", 0)
    if runs := ({"running": running} if running else {}) | ended:
        yield "agent runs", output.counts(runs)
    if turns := sum(count for _, count in counted(values, "agent_turns")):
        tokens = {labels["kind"]: count for labels, count in counted(values, "agent_tokens")}
        said = f"{tokens.get('input', 0):,} tokens in, {tokens.get('output', 0):,} out"
        yield "agent turns", f"{turns:,}, {said}"
    for _, times in labelled(values, "agent_run_milliseconds"):
        figures = ", ".join(f"{name} {output.took(times[key])}" for name, key in QUANTILES)
        yield "agent times", f"{figures} a run"


def share(part: int, whole: int, what: str) -> str:
    """``80 % of 120 were there``."""
    return f"{100 * part / whole:.0f} % of {whole:,} {what}" if whole else "none yet"


def some(count: int) -> str:
    """A number that is worth a look unless it is 0."""
    return f"{count:,}" if count else ""


def milliseconds(value: float) -> str:
    """To three digits or so."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """``search.latency_ms.p50  3.2`` for each value, however deep it lies."""
    for name, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield from flat({str(number): each for number, each in enumerate(value)}, f"{prefix}{name}.")
        elif isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield output.clean(f"{prefix}{name}"), plain(value)


def plain(value: Any) -> str:
    """A value for people."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int | float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    return output.clean(", ".join(map(str, value)) if isinstance(value, list) else str(value))


COMMANDS = (c.Command("stats", "Print the daemon's counters and timings.", stats, arguments),)
