"""Generate news articles in which every rule finds something, and read outputs back."""

from __future__ import annotations

import random


def sentences(seed, count, words=14):
    """Return `count` distinct made-up sentences, the same for the same seed."""
    source = random.Random(seed)
    letters = "bcdfghjklmnprstvwz"
    vocabulary = ["".join(source.choice(letters) + source.choice("aeiou") for _ in range(3)) for _ in range(300)]
    return [" ".join(source.choice(vocabulary) for _ in range(words)).capitalize() + "." for _ in range(count)]


def news(seed=1, count=60):
    """Return `count` articles; together they have a finding of every rule."""
    rows = []
    for number in range(count):
        body = sentences(seed * 1000 + number, 6)
        if number % 7 == 3:
            body += body[1:]  # a body printed twice
        if number % 5 == 4:
            body = [body[0], "Wire copy: " + sentences(seed, 1, 25)[0], *body[1:]]
        if number % 3 == 0:
            body.append("Sign up for our newsletter to read more stories like this.")
        if number % 11 == 5:
            body = ["Dateline. " + rows[-1]["text"].split("\n\n")[0], *rows[-1]["text"].split("\n\n")[1:]]
        if number % 13 == 6:
            body[0] = "The cafÃ© said â€œnoâ€\x9d to\u00a0us.  "
        rows.append(
            {"id": f"n{number}", "n": number, "text": "\n\n".join(body), "url": f"https://a{number % 2}.example/x"}
        )
    return rows


def bytes_of(out):
    """Return the bytes of every file of an output by name, but for its log, which has times."""
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.name != "run.log.json"}
