"""Quality of the whole pipeline, measured on articles made with known truth; `run` measures everything."""
