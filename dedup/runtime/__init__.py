"""Resources and progress of a running job: memory, threads, files and time."""
