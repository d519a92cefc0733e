"""The examples on the help page of each command. A test runs them in this order, so they stay correct."""

from __future__ import annotations

# Command: (command line, what it does). The inputs are a folder crawl/ and a file more.jsonl.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "clean": (
        ("dedup clean crawl more.jsonl -o out", "clean two inputs into the folder out"),
        ("dedup clean crawl --dry-run --sample 1000", "see what would happen, on a sample"),
        ("dedup clean more.jsonl --against out -o out3", "also drop what repeats the earlier output out"),
        ("dedup clean crawl -o out2 --rule boilerplate=flag", "only report boilerplate"),
    ),
    "check": (
        ("dedup check crawl", "print each finding as one line"),
        ("dedup check crawl --json --limit 100 -q", "the first 100 records, as JSON"),
    ),
    "tune": (
        ("dedup tune crawl", "answer questions about similar pairs"),
        ("dedup tune crawl --report", "estimate a threshold from the answers so far"),
    ),
    "explain": (
        ("dedup explain out", "list dropped articles with their twins"),
        ("dedup explain out more.jsonl#1", "show one article: by record, or by id"),
    ),
    "diff": (
        ("dedup diff out", "all changes"),
        ("dedup diff out more.jsonl#0", "those of one article"),
    ),
    "report": (
        ("dedup report out", "write out/report.html, one page for a browser"),
        ("dedup report out --md", "the same in short, as for the log of a build"),
        ("dedup report out out2", "compare two runs, in out2/comparison.html"),
    ),
    "view": (("dedup view out", "print the address of a page for looking and reviewing"),),
    "apply-review": (("dedup apply-review out", "what its review rejects comes back"),),
    "groups": (("dedup groups out", "each survivor with the number of its copies, the largest group first"),),
    "index": (
        ("dedup clean more.jsonl --index seen -o out4", "clean what comes in, and remember it in the folder seen"),
        ("dedup index stats seen", "how much is in it"),
        ("dedup index remove seen index/1/more.jsonl#0", "take an article out, by id or source#record"),
        ("dedup index remove seen index/1", "take out all that the first run has added"),
    ),
    "serve": (
        ("dedup serve seen-online", "print address and token, and answer whether articles are new"),
        ("dedup serve redis://localhost:6379/0?name=news --port 0", "the same for an index that processes share"),
    ),
    "warm-up": (("dedup warm-up", "compile now, as when an image is built"),),
    "verify": (("dedup verify out", "prove that out is complete and can be undone"),),
    "restore": (("dedup restore out -o crawl-again", "write the original files again"),),
    "rules": (
        ("dedup rules", "the table of all rules"),
        ("dedup rules boilerplate", "how one rule decides, and how often it errs"),
    ),
    "config": (
        ("dedup config", "the settings in force, and where each came from"),
        ("dedup config --profile corpus --toml", "a file to start from"),
    ),
    "help": (("dedup help clean", "the same as dedup clean --help"),),
    "completion": (
        ("dedup completion bash", "print the script"),
        ("dedup completion bash --install", "put it where the shell reads it"),
    ),
}


def examples(command: str, status: str = "") -> str:
    """Return the end of the help page of `command`: its examples, after what its exit `status` means."""
    width = max(len(line) for line, _ in EXAMPLES[command])
    lines = [f"  {line:<{width}}  {text}" for line, text in EXAMPLES[command]]
    if any(len(line) > 78 for line in lines):
        lines = [part for line, text in EXAMPLES[command] for part in (f"  # {text}", f"  {line}")]
    block = "\n".join(["\b", "Examples:", *lines])
    return f"{status}\n\n{block}" if status else block
