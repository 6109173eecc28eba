"""A chunk under way: who may look at it, what gives it up, how its frames leave before all of them are there."""
