"""Rewards: what judges frames for training and evaluation. One protocol for published models and for plain formulas."""
