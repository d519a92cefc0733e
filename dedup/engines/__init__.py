"""Engines: who shards, schedules and compiles. What is computed is none of their business."""
