"""Reading: find input files, decompress them, cut them into records, and read the fields of each record."""
