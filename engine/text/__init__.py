"""Prompts as text and as embeddings."""
