"""Input files to records: find files, decompress, parse JSON, and read the fields of an article."""
