"""What is taken from a control video before it guides: lines, depth, motion. Plain arrays in and out, no engine."""
