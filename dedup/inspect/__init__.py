"""Read outputs back: verify, restore and explain them."""
