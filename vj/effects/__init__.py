"""Effects as data: what is in their files, their parameters and their order. No GL, no Qt."""
