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
from dedup.in_memory import Result as Result
from dedup.in_memory import clean_articles as clean_articles
from dedup.in_memory import signatures as signatures
from dedup.pipeline import check as check
from dedup.pipeline import clean as clean
from dedup.pipeline import preview as preview
from dedup.repairs.repair import repair as repair
from dedup.settings import Settings as Settings
from dedup.spark import SparkEngine as SparkEngine
from dedup.write.report import Report as Report

__version__: str
