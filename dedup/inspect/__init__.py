"""An output read back: verify, restore and explain it."""
