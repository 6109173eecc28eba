"""The causal Wan transformer. Knows nothing of caches' policy, sampling or checkpoints' file formats."""
