"""Name the host that an article comes from: the site of an address, or of a file where several are given.

Pages of ``news.example.co.uk`` and ``www.example.co.uk`` are of one site and share its menus and notices, so hosts are
registrable domains: one name below a public suffix. The library `publicsuffixlist` holds a copy of the list of public
suffixes, Mozilla's, and never asks the network. Importing it and reading the list takes 0.04 s, so that both wait for
the first address. (`tldextract` takes 0.1 s and brings four libraries along; `publicsuffix2` has a list of 2019.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dedup.read.formats import ONE_ARTICLE, format_of_source, without_compression

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_BARE_ADDRESS = re.compile(r"(?://)?((?:[\w-]+\.)+[^\W\d_]{2,})(?::\d+)?(?:[/?#]\S*)?")  # "example.com/a", "//a.org"
_NAME = re.compile(r"(?:[^\s./:]+\.)+[^\W\d_][^\s./:]+")  # a domain name, not "10.0.0.1" or "localhost"
_NUMBERS = re.compile(r"[\W_]*\d[\d\W_]*")  # with the marks around them: "crawl_2020-01.part3" is "crawlpart"


def is_page_address(value: str) -> bool:
    """Return True if `value` is an address with a scheme."""
    return "://" in value


def host_of_value(value: str) -> str:
    """Return the host that the value of a source field names: a registrable domain, or the value in lower case.

    >>> host_of_value("https://news.Example.co.uk/a"), host_of_value("m.example.com/a"), host_of_value("The Paper")
    ('example.co.uk', 'example.com', 'the paper')
    """
    if is_page_address(value):
        return registrable_domain(normalize_host(value))
    bare = _BARE_ADDRESS.fullmatch(value)
    if bare and _public_suffixes().publicsuffix(bare[1].lower(), accept_unknown=False):
        return registrable_domain(bare[1].lower().removeprefix("www."))
    return normalize_host(value)


@lru_cache(1 << 14)
def registrable_domain(host: str) -> str:
    """Return the name below a public suffix that `host` is or belongs to; `host` itself if there is none.

    Suffixes under which anybody gets a name count as public, so that blogs of one provider are different hosts.

    >>> registrable_domain("news.example.co.uk"), registrable_domain("a.b.blogspot.com"), registrable_domain("10.0.0.1")
    ('example.co.uk', 'b.blogspot.com', '10.0.0.1')
    """
    if not _NAME.fullmatch(host):
        return host
    return _public_suffixes().privatesuffix(host) or host


@cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - articles without an address need none

    return PublicSuffixList()


def normalize_host(value: str) -> str:
    """Return the host that `value` names, in lower case and without ``www.``; an invalid address stays as it is.

    >>> normalize_host("https://www.Example.com/a")
    'example.com'
    """
    scheme_end = value.find("://")
    if scheme_end >= 0:
        path = value.find("/", scheme_end + 3)
        try:
            value = _hostname(value if path < 0 else value[:path]) or value
        except ValueError:
            return value
    return value.lower().removeprefix("www.")


@lru_cache(1 << 12)
def _hostname(address: str) -> str | None:
    """Return the host of an address without its path. Cached, since few addresses of a corpus differ up to the path."""
    return urlsplit(address).hostname


def hosts_of_files(names: Sequence[str]) -> list[str | None]:
    """Return for each source name the host of the articles in it that name none themselves; None if it has none.

    A file of many articles is a host by its own path, a text file or page by its folder. Numbers in paths do not
    count, as they are dates and parts: ``crawl-01.jsonl`` and ``crawl-02.jsonl`` are parts of one dump. Where all
    paths are equal then, they tell nothing, and there are no hosts.

    >>> hosts_of_files(["bbc/2020/a.txt", "cnn/2020/b.txt"]), hosts_of_files(["part-1.jsonl", "part-2.jsonl"])
    (['bbc', 'cnn'], [None, None])
    """
    hosts = [_host_of_file(name) for name in names]
    return list(hosts) if len(set(hosts)) > 1 else [None] * len(names)


def _host_of_file(name: str) -> str | None:
    """Return the path of a source without suffixes and numbers; None if nothing is left of it."""
    path = PurePosixPath(without_compression(name))
    path = path.parent if format_of_source(name) in ONE_ARTICLE else path.with_suffix("")
    parts = (_NUMBERS.sub("", part) for part in path.parts)
    return "/".join(part for part in parts if part) or None
