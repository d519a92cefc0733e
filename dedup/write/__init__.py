"""Write outcomes to files: tables, the output folder, Parquet and the run report."""
