"""The trainer: one loop for every objective, in one process or in many. Knows nothing of what is trained."""
