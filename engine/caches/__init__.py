"""What is carried from chunk to chunk: keys and values, the sink, the prompt's keys and values."""
