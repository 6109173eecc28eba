"""Training of ember and of models like it, on clips that are drawn while training. Knows nothing of vj."""
