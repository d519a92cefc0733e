"""Copy the texts of duplicates and twins to temporary files, from the output and from the corpora compared with."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec

from dedup.arrays import decode_utf8, encode_utf8
from dedup.errors import FindingError, OutputError
from dedup.findings import DROP, Finding
from dedup.inspect.article_rows import Article, Mismatch
from dedup.inspect.known_records import is_known
from dedup.inspect.names import RecordKey, record_name
from dedup.inspect.output import Output
from dedup.match.policy import BOILERPLATE
from dedup.match.site_text import SiteTextRow
from dedup.output_layout import KNOWN_TWINS_FILE
from dedup.read.article_fields import title_of
from dedup.read.fields import from_json, to_json_bytes

_RowsT = TypeVar("_RowsT")


class StoredTwin(NamedTuple):
    """The location of a twin's raw text in a temporary file, in bytes, and facts about its article.

    `drops` are the spans that were dropped from the article, in code points of its raw text. `site_text` are the
    numbers of the lines of site text that were removed before the comparison; `drops` does not include them. A known
    twin has the lines themselves.
    """

    article: str
    kept: bool
    file: str
    offset: int
    size: int
    drops: list[tuple[int, int]]
    site_text: Sequence[int] | Sequence[str]
    title: str | None


class Duplicate(NamedTuple):
    """An article with findings that name a twin: its raw text, its title, and the findings.

    `site_text` are the numbers of the lines that were removed before the comparison. `first_lines` are the numbers of
    the lines that have their first place in the article.
    """

    where: str
    source: str
    record: int
    raw: str
    title: str | None
    site_text: list[int]
    first_lines: list[int]
    findings: list[Finding]


@dataclass(frozen=True)
class TwinFolder:
    """A temporary folder with the texts of duplicates, of their twins, and the lines of site text."""

    path: Path

    @classmethod
    @contextmanager
    def temporary(cls, site_text: Sequence[SiteTextRow]) -> Iterator[TwinFolder]:
        """Yield a folder with the lines of site text, and delete it when the block ends."""
        with tempfile.TemporaryDirectory(prefix="dedup-") as name:
            folder = cls(Path(name))
            _write_rows(folder.path / _SITE_TEXT, list(site_text))
            yield folder

    @contextmanager
    def texts_of(self, batch: int) -> Iterator[BinaryIO]:
        """Open the file for the texts of the twins in a batch."""
        with (self.path / f"{batch}.texts").open("wb") as file:
            yield file

    @property
    def known_texts(self) -> Path:
        """The file of the texts of known twins."""
        return self.path / "known.texts"

    def text(self, twin: StoredTwin) -> str:
        """Return the raw text of a twin."""
        with (self.path / twin.file).open("rb") as file:
            file.seek(twin.offset)
            return decode_utf8(file.read(twin.size))

    def write_duplicates(self, batch: int, duplicates: list[Duplicate]) -> None:
        """Write the duplicates of a batch."""
        _write_rows(self.path / f"{batch}.duplicates", duplicates)

    def duplicates(self, batch: int) -> list[Duplicate]:
        """Return the duplicates of a batch."""
        return _read_rows(self.path / f"{batch}.duplicates", list[Duplicate])

    def site_text(self) -> list[SiteTextRow]:
        """Return the lines of site text; each process reads them once."""
        return _site_text_of(self.path / _SITE_TEXT)


_SITE_TEXT = "site_text"


@lru_cache(1)
def _site_text_of(path: Path) -> list[SiteTextRow]:
    return _read_rows(path, list[SiteTextRow])


def _write_rows(path: Path, rows: object) -> None:
    path.write_bytes(to_json_bytes(rows))


def _read_rows(path: Path, kind: type[_RowsT]) -> _RowsT:
    data = path.read_bytes()
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # lone surrogates and long numbers
        return msgspec.convert(from_json(data), kind)


def stored_twin(article: Article, raw: str | FindingError, site_text: list[int], texts: BinaryIO) -> StoredTwin:
    """Write the raw text of a twin to the file `texts`, and return its place.

    Nothing is written if there is no raw text; the check of the article reports that. `site_text` are the numbers of
    the lines that were removed before the comparison.
    """
    data = encode_utf8(raw) if isinstance(raw, str) else b""
    drops = [
        (finding.start, finding.stop)
        for finding in article.findings
        if finding.action == DROP and finding.rule != BOILERPLATE
    ]
    file, offset, title = Path(texts.name).name, texts.tell(), title_of_article(article)
    texts.write(data)
    return StoredTwin(article.id, article.kept, file, offset, len(data), drops, site_text, title)


def store_known_twins(
    output: Output, keys: set[RecordKey], folder: TwinFolder
) -> tuple[dict[RecordKey, StoredTwin], dict[RecordKey, Mismatch]]:
    """Write the raw texts of known twins, those in other corpora, to `folder`, and return their places.

    Returns the mismatches as well, by the twin that cannot be compared because of it. Where a corpus cannot be read,
    that is one mismatch.
    """
    keys = {key for key in keys if is_known(key, output.sources)} if output.has_known_twins else set()
    stored: dict[RecordKey, StoredTwin] = {}
    problems: dict[RecordKey, Mismatch] = {}
    rows = {(row.source, row.record): row for row in output.known_twins()} if keys else {}
    for key in sorted(keys - rows.keys()):
        problems[key] = Mismatch(record_name(*key), f"is a twin, and not in {KNOWN_TWINS_FILE}")
    try:
        with folder.known_texts.open("wb") as texts:
            for article in output.known_articles(rows.keys() & keys):
                row, data = rows[article.key], encode_utf8(article.raw)
                if hashlib.sha256(data).hexdigest() != row.sha256:
                    problems[article.key] = Mismatch(article.where, "has another text than when it was compared")
                    continue
                title = title_of_article(article)
                stored[article.key] = StoredTwin(
                    article=article.id,
                    kept=True,
                    file=folder.known_texts.name,
                    offset=texts.tell(),
                    size=len(data),
                    drops=[],
                    site_text=row.site_text,
                    title=title,
                )
                texts.write(data)
    except OutputError as error:
        mismatch = Mismatch(KNOWN_TWINS_FILE, f"{len(keys):,} twins cannot be checked: {error}")
        problems |= dict.fromkeys(keys - stored.keys(), mismatch)
    return stored, problems


def title_of_article(article: Article) -> str | None:
    """Return the title of an article, None if it has none or the output leaves it out."""
    return title_of(article.fields, article.text_field)
