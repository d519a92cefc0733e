# The public names, one a line. `dedup/__init__.py` reads this list too, and imports each name when it is first used.
from dedup.engines.local import LocalEngine as LocalEngine
from dedup.errors import DedupError as DedupError
from dedup.errors import EngineError as EngineError
from dedup.errors import FindingError as FindingError
from dedup.errors import InputError as InputError
from dedup.errors import OutputError as OutputError
from dedup.errors import RecordError as RecordError
from dedup.errors import SettingsError as SettingsError
from dedup.findings import Finding as Finding
from dedup.findings import apply as apply
from dedup.findings import revert as revert
from dedup.fingerprint.shingles import shingle_hash as shingle_hash
from dedup.fingerprint.shingles import shingles as shingles
from dedup.in_memory import clean_articles as clean_articles
from dedup.in_memory import signatures as signatures
from dedup.inspect.explanation import Explanation as Explanation
from dedup.inspect.explanation import explain as explain
from dedup.inspect.output import Mismatch as Mismatch
from dedup.inspect.restore import restore as restore
from dedup.inspect.verify import Verified as Verified
from dedup.inspect.verify import verify as verify
from dedup.pipeline import check as check
from dedup.pipeline import clean as clean
from dedup.pipeline import preview as preview
from dedup.repairs.repair import repair as repair
from dedup.results import CleanedArticle as CleanedArticle
from dedup.results import Result as Result
from dedup.results import TableResult as TableResult
from dedup.results import TextRepeat as TextRepeat
from dedup.settings import Settings as Settings
from dedup.spark import SparkEngine as SparkEngine
from dedup.streaming import aiter_clean as aiter_clean
from dedup.streaming import find_repeats as find_repeats
from dedup.streaming import iter_clean as iter_clean
from dedup.write.report import Report as Report

__version__: str
