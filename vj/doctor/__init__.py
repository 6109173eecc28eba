"""`vj doctor`: what is there, what is missing, and the one line that mends it."""
