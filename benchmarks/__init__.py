"""Benchmarks of dedup: speed, memory and quality, alone and beside other tools; one module per question."""
