"""A model that tells a site's lines, such as menus, teasers and sign-up boxes, from the lines of its articles.

Each line is read once (`line_forms`), its copies in the host are counted (`counts`), and a scorecard adds up points for
its counts, its form and its company (`variables`, `scorecard`, `score`). All numbers are integers, so that a score is
the same on every machine and in every batch.
"""
